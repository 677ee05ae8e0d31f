-- Records a decision of a contact for some categories; older than what stands changes nothing.
-- USES consent
-- KEYS  business
-- ARGV  now, sender that was asked by, contact, status, at (whole seconds), record (JSON), categories (space between)
-- Returns how many categories changed
return decide_consent(ARGV[1], ARGV[2], resolve(ARGV[3]), words(ARGV[7]), ARGV[4], tonumber(ARGV[5]), ARGV[6])
