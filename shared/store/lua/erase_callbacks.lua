-- Removes what an app was still to be pushed about somebody who is erased.
-- KEYS  business
-- ARGV  app, name of the person, time of the erase (ms): what happened later stays, most events a call
-- Returns how many; at the most, there may be more
local app, name, before = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lane, gone = key('callback_lane', app, name), 0
for _, item in ipairs(redis.call('LRANGE', lane, 0, ARGV[4] - 1)) do
  if cjson.decode(item).at <= before then
    gone = gone + redis.call('LREM', lane, 1, item)
  end
end
if gone > 0 then
  redis.call('HDEL', key('callback_tries', app), name)
end
if redis.call('EXISTS', lane) == 0 then
  redis.call('HDEL', key('callback_tries', app), name)
  redis.call('ZREM', key('callback_ready', app), name)
end
return gone
