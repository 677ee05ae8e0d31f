-- A hand lets a template go on that an error stopped.
-- USES templates
-- KEYS  business
-- ARGV  now, template id, line of its history (JSON or '')
-- Returns 1 if it was stopped so, else 0
return resume_template(ARGV[1], ARGV[2], ARGV[3]) and 1 or 0
