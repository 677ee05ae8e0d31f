-- Records what a contact told WhatsApp about a category; it stands beside the consent that the contact gave us.
-- USES lanes consent windows identity
-- KEYS  business
-- ARGV  now, sender, contact, other names of the contact (space between), all senders of the business (space between),
--       category, 'opted_out' or 'resumed', at (ms)
-- Returns {'recorded'} or {'unchanged'}: older than what stands; on a tie 'opted_out' wins
local now, sender, contact, at = ARGV[1], ARGV[2], resolve(ARGV[3]), tonumber(ARGV[8])
for _, name in ipairs(words(ARGV[4])) do
  link(name, contact, at, now, words(ARGV[5]))
  contact = resolve(contact)
end
local is_newer = put_preference(now, sender, contact, ARGV[6], ARGV[7], at, 'user_preferences', '')
return {is_newer and 'recorded' or 'unchanged'}
