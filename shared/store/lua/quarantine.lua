-- Keeps an update that could not be read, raw, for people; the oldest go first.
-- USES once
-- KEYS  business
-- ARGV  now, sender, reason, raw, most entries, was raw cut (1 or 0), reason as the metrics have it, digest of the update
--       and life of the mark by which a repeat is known (ms): a provider may send it again, too
-- Returns 'set_aside', also for a repeat
if is_first(ARGV[8], ARGV[9]) then
  count('quarantined_total:' .. ARGV[2] .. ':' .. ARGV[7])
  redis.call('XADD', key('quarantine'), 'MAXLEN', '~', ARGV[5], '*',
    'at', ARGV[1], 'sender', ARGV[2], 'reason', ARGV[3], 'raw', ARGV[4], 'cut', ARGV[6])
end
return 'set_aside'
