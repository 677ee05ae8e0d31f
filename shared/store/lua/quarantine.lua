-- Keeps an update that could not be read, raw, for people; the oldest go first.
-- KEYS  business
-- ARGV  now, sender, reason, raw, most entries, was raw cut (1 or 0), reason as the metrics have it
-- Returns the entry's id
count('quarantined_total:' .. ARGV[2] .. ':' .. ARGV[7])
return redis.call('XADD', key('quarantine'), 'MAXLEN', '~', ARGV[5], '*',
  'at', ARGV[1], 'sender', ARGV[2], 'reason', ARGV[3], 'raw', ARGV[4], 'cut', ARGV[6])
