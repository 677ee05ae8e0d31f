-- Registers a template, or changes one and wakes what waits for it.
-- USES templates
-- KEYS  business
-- ARGV  template id, account, mode ('create' or 'change'), nonce of the creation, now ('' if nobody says), line of its
--       history (JSON or ''), field, value, …  ('' deletes a field)
-- Returns 1 if done, also for a repeat; 0 if it exists ('create') or does not ('change')
local template = key('template', ARGV[1])
local exists = redis.call('EXISTS', template) == 1
if ARGV[3] == 'create' and exists then
  return redis.call('HGET', template, 'nonce') == ARGV[4] and 1 or 0
end
if ARGV[3] == 'change' and not exists then
  return 0
end
if ARGV[3] == 'create' then
  -- Versions go on where one of the same name that was deleted had got to: what was decided on that one is not
  -- mistaken for decided on this one.
  local version = redis.call('HINCRBY', key('template_versions'), ARGV[1], 1)
  redis.call('HSET', template, 'nonce', ARGV[4], 'content_version', version, 'version', version * 1000000)
end
for i = 7, #ARGV, 2 do
  set_field(template, ARGV[i], ARGV[i + 1])
end
redis.call('SADD', key('templates', ARGV[2]), ARGV[1])
note_template(ARGV[1], ARGV[6])
change_template(ARGV[5], ARGV[1])
return 1
