-- Hands an app the events that it gets: each to the lane of its contact, in order. Moves the app's place in the stream.
-- KEYS  business
-- ARGV  now, app, place that the caller read from, place that it read to, contact, item (JSON), contact, item, …
-- Returns 1, or 0 if somebody else has moved the place
local hash = key('callback', ARGV[2])
if (redis.call('HGET', hash, 'place') or '') ~= ARGV[3] then
  return 0
end
redis.call('HSET', hash, 'place', ARGV[4])
for i = 5, #ARGV, 2 do
  local length = redis.call('RPUSH', key('callback_lane', ARGV[2], ARGV[i]), ARGV[i + 1])
  if length == 1 then
    redis.call('ZADD', key('callback_ready', ARGV[2]), ARGV[1], ARGV[i])
  end
end
return 1
