-- A contact as one sender sees it: who is meant, window, consent, the latest messages both ways.
-- KEYS  business
-- ARGV  sender, contact
-- Returns {contact, window or '', fields of the contact, ids of the latest, newest first, inbound records (JSON) of those}
local sender, contact = ARGV[1], resolve(ARGV[2])
local recent = redis.call('ZREVRANGE', key('recent', contact), 0, 19)
local records = {}
for _, id in ipairs(recent) do
  local record = string.match(id, '^in:(.*)$')
  records[#records + 1] = record and redis.call('GET', key('inbound', record)) or ''
end
return {contact, redis.call('GET', key('window', sender, contact)) or '', redis.call('HGETALL', key('contact', contact)),
  recent, records}
