-- Reads what a decision looks at, changing nothing.
-- USES limits deciding
-- KEYS  business
-- ARGV  sender, contact, templates (ids, space between), what is watched (parts/limits.lua)
-- Returns {versions, window, contact, sender, who is meant, limits, template, …}
return facts(ARGV[1], ARGV[2], ARGV[3], read_limits(ARGV[4]))
