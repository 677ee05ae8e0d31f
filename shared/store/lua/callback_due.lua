-- Whether somebody has to be told to push to an app: there is something new, or something due, and nobody is at it.
-- KEYS  business
-- ARGV  now, app, life of the bell (ms)
-- Returns 1 if the caller has to ring
local app = ARGV[2]
local state = redis.call('HMGET', key('callback', app), 'place', 'paused_until')
local last = redis.call('XREVRANGE', key('events'), '+', '-', 'COUNT', 1)[1]
local due = redis.call('ZRANGEBYSCORE', key('callback_ready', app), '-inf', ARGV[1], 'LIMIT', 0, 1)
local has_new = last and last[1] ~= state[1]
local may_push = #due > 0 and tonumber(state[2] or '0') <= tonumber(ARGV[1])
if not has_new and not may_push then
  return 0
end
return redis.call('SET', key('callback_bell', app), '1', 'NX', 'PX', ARGV[3]) and 1 or 0
