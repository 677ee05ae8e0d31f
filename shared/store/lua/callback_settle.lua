-- Records how a push ended: taken (or nothing to push), to be tried again, or parked for a person to look at.
-- KEYS  business
-- ARGV  now, app, contact, item, outcome ('taken', 'gone', 'again', 'parked'), next try (ms or ''), reason, end of the app's
--       pause (ms, 0: none), life of what is parked (ms), most parked, tries before this one
-- Returns 1, also for a repeat; 0 if the item is not the lane's first any more: it was settled before
local now, app, contact, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local hash, lane, tries = key('callback', app), key('callback_lane', app, contact), key('callback_tries', app)
local ready, parked = key('callback_ready', app), key('callback_parked', app)
if redis.call('LINDEX', lane, 0) ~= ARGV[4] then
  return 0
end
if tonumber(redis.call('HGET', tries, contact) or '0') > tonumber(ARGV[11]) then
  return 1
end
count('callbacks_total:' .. app .. ':' .. outcome)
if outcome == 'taken' then
  redis.call('HDEL', hash, 'failures', 'failing_since', 'paused_until')
elseif outcome ~= 'gone' then
  redis.call('HINCRBY', hash, 'failures', 1)
  redis.call('HSETNX', hash, 'failing_since', now)
  redis.call('HSET', hash, 'paused_until', ARGV[8], 'last_reason', ARGV[7], 'last_failed_at', now)
end
if outcome == 'again' then
  redis.call('HINCRBY', tries, contact, 1)
  redis.call('ZADD', ready, ARGV[6], contact)
  return 1
end
redis.call('LPOP', lane)
redis.call('HDEL', tries, contact)
if outcome == 'parked' then
  redis.call('ZADD', parked, now, cjson.encode({contact = contact, item = ARGV[4], reason = ARGV[7]}))
  redis.call('ZREMRANGEBYSCORE', parked, '-inf', now - ARGV[9])
  redis.call('ZREMRANGEBYRANK', parked, 0, -(ARGV[10] + 1))
end
if redis.call('EXISTS', lane) == 1 then
  redis.call('ZADD', ready, now, contact)
else
  redis.call('ZREM', ready, contact)
end
return 1
