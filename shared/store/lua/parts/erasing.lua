-- Removes a message of somebody who is erased. Stands on lanes, limits and gates.

-- With all that leads to it; its app is told that it was cancelled if it had not left. `names`: of the person.
-- Returns the state that it was in, or nil. A late begin, settle or status finds nothing and changes nothing.
local function erase_message(id, now, names)
  local message = key('message', id)
  local found = redis.call('HMGET', message, 'state', 'sender', 'contact', 'app', 'reference')
  local state, sender, contact, app = found[1], found[2], found[3], found[4]
  if not state then
    return nil
  end
  local is_claimed = redis.call('HGET', key('claimed', sender), contact) == id
  unhold(id)
  leave_lane(id, sender, contact)
  redis.call('ZREM', key('state', state), id)
  redis.call('ZREM', key('unheard', sender), id)
  redis.call('ZREM', key('accepted', app), id)
  if found[5] ~= '' then
    redis.call('ZREM', key('reference', app, found[5]), id)
  end
  for _, name in ipairs(names) do
    redis.call('ZREM', key('recent', name), id)
  end
  redis.call('DEL', message)
  if OWED[state] then
    redis.call('HINCRBY', key('backlog'), app, -1)
  end
  if WAITING[state] then
    emit(now, 'message.cancelled', id, sender, '', cjson.encode({reason = 'erased', app = app}))
  end
  if is_claimed then
    unclaim(sender, contact)
  end
  if is_claimed and state ~= 'sending' then
    give_back(sender)
  end
  place(sender, contact, now, is_claimed)
  return state
end
