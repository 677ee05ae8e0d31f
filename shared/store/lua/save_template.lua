-- Registers a template, or changes one and wakes what waits for it.
-- KEYS  business
-- ARGV  template id, account, mode ('create' or 'change'), field, value, …  ('' deletes a field)
-- Returns 1 if done, 0 if it exists ('create') or does not ('change')
local template = key('template', ARGV[1])
local exists = redis.call('EXISTS', template) == 1
if exists == (ARGV[3] == 'create') then
  return 0
end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', template, ARGV[i])
  else
    redis.call('HSET', template, ARGV[i], ARGV[i + 1])
  end
end
redis.call('HINCRBY', template, 'version', 1)
redis.call('SADD', key('templates', ARGV[2]), ARGV[1])
redis.call('SADD', key('waking'), 'template:' .. ARGV[1])
return 1
