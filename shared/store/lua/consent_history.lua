-- Every word about the consent of a contact.
-- KEYS  business
-- ARGV  contact
-- Returns {who is meant, members of its history (parts/consent.lua), newest event first}
local contact = resolve(ARGV[1])
return {contact, redis.call('ZREVRANGE', key('consent_history', contact), 0, -1)}
