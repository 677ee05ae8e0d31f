-- Reads what a decision looks at, changing nothing.
-- USES deciding
-- KEYS  business
-- ARGV  sender, contact, templates (ids, space between)
-- Returns {versions, window, contact, sender, template, …}
return facts(ARGV[1], ARGV[2], ARGV[3])
