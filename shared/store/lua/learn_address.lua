-- Remembers under which number WhatsApp knows a contact: it is sent to from now on, and what it writes is theirs.
-- USES lanes consent windows identity
-- KEYS  business
-- ARGV  now, contact, its address (a number), the address as a key, all senders of the business (space between),
--       the message that it was learned by ('': none): nothing is learned by one that was erased
-- Returns 1, or 0 if nothing was learned
if ARGV[6] ~= '' and redis.call('EXISTS', key('message', ARGV[6])) == 0 then
  return 0
end
local contact = resolve(ARGV[2])
if ARGV[4] ~= contact then
  link(ARGV[4], contact, ARGV[1], ARGV[1], words(ARGV[5]), true)
end
local hash = key('contact', contact)
if keep_newer(hash, 'address', ARGV[3], tonumber(ARGV[1])) then
  redis.call('HINCRBY', hash, 'version', 1)
end
return 1
