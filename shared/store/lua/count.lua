-- Counts an update that changes nothing else.
-- KEYS  business
-- ARGV  name of the counter (labels after ':')
-- Returns the word for it
count(ARGV[1])
return 'noted'
