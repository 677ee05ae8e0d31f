-- Records decisions of contacts for some categories, each by itself; older than what stands changes nothing.
-- USES consent suppressed
-- EACH 10, at most 50 at once
-- KEYS  business
-- ARGV  for each row: now, sender that was asked by, contact, status, at (whole seconds), record (JSON), categories
--       (space between), by whom it comes to us, app, keyed hashes of the contact (space between)
-- Returns for each row {'recorded' or 'unchanged', how many categories changed}
local contact, by = resolve(ARGV[3]), ARGV[8] .. '|' .. ARGV[9]
local categories, at = words(ARGV[7]), tonumber(ARGV[5])
stand_again(contact, ARGV[10])
local changed = decide_consent(ARGV[1], ARGV[2], contact, categories, ARGV[4], at, ARGV[6], by)
return {changed > 0 and 'recorded' or 'unchanged', changed}
