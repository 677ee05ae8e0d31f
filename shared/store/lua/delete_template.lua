-- Forgets a template; what is queued with it is decided anew, and finds none. Its history and its numbers stay.
-- USES templates
-- KEYS  business
-- ARGV  template id, account, now, line of its history (JSON)
-- Returns 1 if it was there, else 0
if redis.call('DEL', key('template', ARGV[1])) == 0 then
  return 0
end
redis.call('SREM', key('templates', ARGV[2]), ARGV[1])
redis.call('ZREM', key('resting'), ARGV[1])
-- A list that the provider gave before this does not bring it back.
redis.call('HSET', key('template_versions'), 'deleted:' .. ARGV[1], ARGV[3])
note_template(ARGV[1], ARGV[4])
redis.call('HSET', key('waking'), 'template:' .. ARGV[1], '0')
emit(ARGV[3], 'template.changed', ARGV[1])
return 1
