-- Keeps what the Celery door refused, raw, for people; the oldest go first.
-- KEYS  business
-- ARGV  now, task, sender or '', reason, raw, was raw cut (1 or 0), app, errors (JSON), most entries, life of the
--       mark by which a repeat is known (ms)
-- Returns 1, or 0 for a repeat: a broker may hand a task over twice
if not redis.call('SET', key('submitted', ARGV[2]), '1', 'NX', 'PX', ARGV[10]) then
  return 0
end
count('submissions_refused_total:' .. ARGV[4])
redis.call('XADD', key('submissions'), 'MAXLEN', '~', ARGV[9], '*', 'at', ARGV[1], 'sender', ARGV[3],
  'reason', ARGV[4], 'raw', ARGV[5], 'cut', ARGV[6], 'app', ARGV[7], 'errors', ARGV[8])
return 1
