-- Adds to counters what a process has counted by itself.
-- USES once
-- KEYS  business
-- ARGV  nonce: asked again with the same one, it adds nothing; life of its mark (ms); then for each counter its name
--       (labels after ':') and how many more
-- Returns 1, or 0 for a repeat
if not is_first(ARGV[1], ARGV[2]) then
  return 0
end
for at = 3, #ARGV, 2 do
  redis.call('HINCRBY', key('counters'), ARGV[at], ARGV[at + 1])
end
return 1
