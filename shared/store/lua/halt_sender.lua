-- Halts a sender or lets it go on.
-- KEYS  business
-- ARGV  now, sender, halted ('all' or ''), why
-- Returns 1
local sender = key('sender', ARGV[2])
redis.call('HINCRBY', sender, 'version', 1)
emit(ARGV[1], ARGV[3] == '' and 'sender.resumed' or 'sender.halted', '', ARGV[2], '', cjson.encode({why = ARGV[4]}))
if ARGV[3] == '' then
  redis.call('HDEL', sender, 'halted', 'halted_why', 'halted_at')
else
  redis.call('HSET', sender, 'halted', ARGV[3], 'halted_why', ARGV[4], 'halted_at', ARGV[1])
end
return 1
