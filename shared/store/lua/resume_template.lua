-- A hand lets a template go on that an error stopped.
-- USES templates
-- KEYS  business
-- ARGV  template id
-- Returns 1 if it was stopped so, else 0
return resume_template(ARGV[1]) and 1 or 0
