-- Records a decision of a contact for some categories; older than what stands changes nothing.
-- KEYS  business
-- ARGV  contact, status, at (whole seconds), record (JSON), categories (space between)
-- Returns how many categories changed
local changed = 0
for _, category in ipairs(words(ARGV[5])) do
  changed = changed + put_consent(ARGV[1], category, ARGV[2], tonumber(ARGV[3]), ARGV[4])
end
return changed
