-- Records what the provider says of a template: each aspect by its newest word, whatever order the words come in.
-- KEYS  business
-- ARGV  template id, aspect ('status', 'category', 'quality', 'content'), at (seconds), rank of the word (of two words of
--       one second the higher stands), field, value, …  ('' deletes a field)
-- Returns {'changed'}, {'unchanged'} or {'unknown_template'}
local template, told = key('template', ARGV[1]), 'told:' .. ARGV[2]
if redis.call('EXISTS', template) == 0 then
  return {'unknown_template'}
end
local at, rank = string.match(redis.call('HGET', template, told) or '-1|0', '^(-?%d+)|(%d+)$')
local newer = tonumber(ARGV[3]) - tonumber(at)
if newer < 0 or (newer == 0 and tonumber(ARGV[4]) <= tonumber(rank)) then
  return {'unchanged'}
end
redis.call('HSET', template, told, ARGV[3] .. '|' .. ARGV[4])
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', template, ARGV[i])
  else
    redis.call('HSET', template, ARGV[i], ARGV[i + 1])
  end
end
redis.call('HINCRBY', template, 'version', 1)
redis.call('HSET', key('waking'), 'template:' .. ARGV[1], '0')
emit('', 'template.changed', ARGV[1])
return {'changed'}
