-- What people do with a message. Stands on lanes.

-- The fields of a message that belongs to `app` ('': to anybody), or nil.
local function owned(id, app, fields)
  local found = redis.call('HMGET', key('message', id), 'app', unpack(fields))
  if not found[1] or (app ~= '' and found[1] ~= app) then
    return nil
  end
  return found
end

-- Takes a message out of its lane, together with the pause that it alone made its followers wait for.
local function step_out(id, sender, contact, not_before)
  leave_lane(id, sender, contact)
  unhold(id)
  if not_before ~= '0' and redis.call('HGET', key('paused', sender), contact) == not_before then
    redis.call('HDEL', key('paused', sender), contact)
  end
end
