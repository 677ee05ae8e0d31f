-- Puts what is parked for an app back behind what waits, and lets it be tried at once.
-- KEYS  business
-- ARGV  now, app, most
-- Returns how many
local app, parked = ARGV[2], key('callback_parked', ARGV[2])
local found = redis.call('ZRANGE', parked, 0, ARGV[3] - 1)
for _, member in ipairs(found) do
  local entry = cjson.decode(member)
  redis.call('RPUSH', key('callback_lane', app, entry.contact), entry.item)
  redis.call('ZADD', key('callback_ready', app), 'NX', ARGV[1], entry.contact)
  redis.call('ZREM', parked, member)
end
redis.call('HDEL', key('callback', app), 'failures', 'failing_since', 'paused_until')
return #found
