-- Parks what an app has not taken for so long that nobody tries any more: many at once, or an app that is gone would
-- fill the store one by one.
-- KEYS  business
-- ARGV  now, app, time (ms) before which an event is given up, most events, life of what is parked (ms), most parked
-- Returns how many
local now, app, limit, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local ready, parked, tries = key('callback_ready', app), key('callback_parked', app), key('callback_tries', app)
local given_up = 0

for _, contact in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, most)) do
  local lane = key('callback_lane', app, contact)
  local item = redis.call('LINDEX', lane, 0)
  while item and given_up < most and cjson.decode(item).at < limit do
    redis.call('LPOP', lane)
    redis.call('HDEL', tries, contact)
    redis.call('ZADD', parked, now, cjson.encode({contact = contact, item = item, reason = 'too_old'}))
    given_up = given_up + 1
    item = redis.call('LINDEX', lane, 0)
  end
  if not item then
    redis.call('ZREM', ready, contact)
  end
end
if given_up > 0 then
  count('callbacks_total:' .. app .. ':parked')
  redis.call('ZREMRANGEBYSCORE', parked, '-inf', now - ARGV[5])
  redis.call('ZREMRANGEBYRANK', parked, 0, -(ARGV[6] + 1))
end
return given_up
