-- Registers a template, or changes one and wakes what waits for it.
-- KEYS  business
-- ARGV  template id, account, mode ('create' or 'change'), nonce of the creation, field, value, …  ('' deletes a field)
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
  -- Versions go on where one of the same name that was deleted had got to.
  local version = redis.call('HINCRBY', key('template_versions'), ARGV[1], 1)
  redis.call('HSET', template, 'nonce', ARGV[4], 'content_version', version)
end
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', template, ARGV[i])
  else
    redis.call('HSET', template, ARGV[i], ARGV[i + 1])
  end
end
redis.call('HINCRBY', template, 'version', 1)
redis.call('SADD', key('templates', ARGV[2]), ARGV[1])
emit('', 'template.changed', ARGV[1])
redis.call('HSET', key('waking'), 'template:' .. ARGV[1], '0')
return 1
