-- Records what the provider says of a template: each field by its newest word, whatever order the words come in.
-- KEYS  business
-- ARGV  template id, at (seconds), then field, value ('' deletes it), rank of the word (of two words of one second the
--       higher stands), …
-- Returns {'changed'}, {'unchanged'} or {'unknown_template'}
local template, at = key('template', ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', template) == 0 then
  return {'unknown_template'}
end

local changed = false
for i = 3, #ARGV, 3 do
  local field, value, rank = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local since, standing = string.match(redis.call('HGET', template, 'told:' .. field) or '-1|0', '^(-?%d+)|(%d+)$')
  if at > tonumber(since) or (at == tonumber(since) and rank > tonumber(standing)) then
    changed = true
    -- What the provider says of its status since an error stopped it stands instead.
    local stopped_at = field == 'stopped' and string.match(redis.call('HGET', template, 'error_stop') or '', '^[^|]*|[^|]*|(%d+)|')
    if stopped_at and at * 1000 >= tonumber(stopped_at) then
      redis.call('HDEL', template, 'error_stop')
    end
    redis.call('HSET', template, 'told:' .. field, ARGV[2] .. '|' .. rank)
    if value == '' then
      redis.call('HDEL', template, field)
    else
      redis.call('HSET', template, field, value)
    end
  end
end
if not changed then
  return {'unchanged'}
end
redis.call('HINCRBY', template, 'version', 1)
redis.call('HSET', key('waking'), 'template:' .. ARGV[1], '0')
emit('', 'template.changed', ARGV[1])
return {'changed'}
