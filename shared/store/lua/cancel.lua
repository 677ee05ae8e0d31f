-- Stops messages that have not left. One that a worker has in hand has not left either: its begin finds it cancelled.
-- USES lanes hands
-- ROWS 4
-- KEYS  business
-- ARGV  for each row: now, id, app that it must belong to ('': any), who asks
-- Returns for each row {'cancelled'}, also for a repeat; {'refused', state}; {'missing'}
local function cancel(row)
  local now, id = row[1], row[2]
  local found = owned(id, row[3], {'state', 'sender', 'contact', 'not_before'})
  if not found then
    return {'missing'}
  end
  local state, sender, contact = found[2], found[3], found[4]
  if state == 'cancelled' then
    return {'cancelled'}
  end
  if not WAITING[state] then
    return {'refused', state}
  end

  set_state(id, state, 'cancelled', now)
  redis.call('HSET', key('message', id), 'reason', 'cancelled')
  note(id, now, 'cancelled', {by = row[4]})
  step_out(id, sender, contact, found[5])
  place(sender, contact, now)
  return {'cancelled'}
end

return each_row(4, cancel)
