-- A template that an error stopped goes on: by hand, by its time, or by a newer word of the provider.

local function resume_template(id)
  local template = key('template', id)
  if redis.call('HDEL', template, 'error_stop') == 0 then
    return false
  end
  redis.call('ZREM', key('resting'), id)
  redis.call('HINCRBY', template, 'version', 1)
  redis.call('HSET', key('waking'), 'template:' .. id, '0')
  emit('', 'template.changed', id)
  return true
end
