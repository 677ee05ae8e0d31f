-- Every word about the consent of a contact.
-- KEYS  business
-- ARGV  contact
-- Returns {who is meant, lines of its history (parts/consent.lua), in the order in which they were heard}
local contact = resolve(ARGV[1])
return {contact, redis.call('LRANGE', key('consent_history', contact), 0, -1)}
