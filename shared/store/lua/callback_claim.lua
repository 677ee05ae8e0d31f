-- Takes the first event of up to n lanes of an app that are due, each until its lease ends. An app that does not answer
-- is asked for one at a time, and not before its pause is over.
-- KEYS  business
-- ARGV  now, app, n, end of the lease (ms), failures in a row from which an app counts as away
-- Returns {failures in a row, contact, item (JSON), tries, …}
local hash, ready = key('callback', ARGV[2]), key('callback_ready', ARGV[2])
local state = redis.call('HMGET', hash, 'failures', 'paused_until')
if tonumber(state[2] or '0') > tonumber(ARGV[1]) then
  return {0}
end
local most = tonumber(state[1] or '0') >= tonumber(ARGV[5]) and 1 or tonumber(ARGV[3])
local taken = {tonumber(state[1] or '0')}
for _, contact in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', ARGV[1], 'LIMIT', 0, most)) do
  local item = redis.call('LINDEX', key('callback_lane', ARGV[2], contact), 0)
  if item then
    redis.call('ZADD', ready, ARGV[4], contact)
    taken[#taken + 1] = contact
    taken[#taken + 1] = item
    taken[#taken + 1] = redis.call('HGET', key('callback_tries', ARGV[2]), contact) or '0'
  else
    redis.call('ZREM', ready, contact)
  end
end
return taken
