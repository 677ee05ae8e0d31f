-- Records what a contact wrote: once, with its window, its consent keyword and what it wakes.
-- KEYS  business
-- ARGV  now, sender, contact, event id, event time, length of a window (ms, 0: this kind opens none),
--       life of the duplicate's mark (ms), inbound (JSON), retention (ms), keyword ('opted_in', 'opted_out' or ''),
--       its record (JSON or ''), its categories (space between)
-- Returns {'recorded', 1 if the window is now open by it} or {'duplicate', 0}
local now, sender, contact, event, event_at = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local length = tonumber(ARGV[6])

if redis.call('EXISTS', key('seen', sender, event)) == 1 then
  return {'duplicate', 0}
end

-- Marked last: an update that fails half-way is not a duplicate when it comes again.
local function seen(opened)
  redis.call('SET', key('seen', sender, event), '1', 'PX', ARGV[7])
  return {'recorded', opened}
end

redis.call('SET', key('inbound', event), ARGV[8], 'PX', ARGV[9])
redis.call('ZADD', key('recent', contact), event_at, 'in:' .. event)
redis.call('ZREMRANGEBYRANK', key('recent', contact), 0, -21)
redis.call('PEXPIRE', key('recent', contact), ARGV[9])

local hash = key('contact', contact)
redis.call('HINCRBY', hash, 'version', 1)
local last = tonumber(redis.call('HGET', hash, 'last_inbound_at') or '0')
if event_at > last then
  redis.call('HSET', hash, 'last_inbound_at', ARGV[5])
end
if ARGV[10] ~= '' then
  for _, category in ipairs(words(ARGV[12])) do
    put_consent(contact, category, ARGV[10], math.floor(event_at / 1000), ARGV[11])
  end
end

if length == 0 or event_at + length <= tonumber(now) then
  return seen(0)
end
local window = key('window', sender, contact)
local standing = redis.call('GET', window)
local newest, refused = 0, ''
if standing then
  local opened, _, refusal = string.match(standing, '^(%d*)|(.*)|(%d*)$')
  newest, refused = tonumber(opened), refusal
end
if event_at > newest then
  redis.call('SET', window, ARGV[5] .. '|' .. event .. '|' .. refused, 'PXAT', whole(event_at + length))
end
local group = 'window:' .. sender .. ':' .. contact
if ARGV[10] ~= 'opted_out' then
  local woken, last = wake(group, now, 100)
  if woken == 100 then
    redis.call('HSET', key('waking'), group, last)
  end
end
return seen(1)
