-- Counts an update that changes nothing else.
-- USES once
-- KEYS  business
-- ARGV  name of the counter (labels after ':'), nonce: asked again with the same one, it counts nothing, and life of its
--       mark (ms)
-- Returns the word for it
if is_first(ARGV[2], ARGV[3]) then
  count(ARGV[1])
end
return 'noted'
