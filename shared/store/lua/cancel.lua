-- Stops messages that have not left, and the nudge that was for them alone. One that a worker has in hand has not left
-- either: its begin finds it cancelled.
-- USES lanes hands
-- ROWS 4
-- KEYS  business
-- ARGV  for each row: now, id, app that it must belong to ('': any), who asks
-- Returns for each row {'cancelled'}, also for a repeat; {'refused', state}; {'missing'}
local FIELDS = {'state', 'sender', 'contact', 'not_before'}

local function stop(id, found, now, who)
  local state, sender, contact = found[2], found[3], found[4]
  set_state(id, state, 'cancelled', now)
  redis.call('HSET', key('message', id), 'reason', 'cancelled')
  note(id, now, 'cancelled', {by = who})
  step_out(id, sender, contact, found[5])
  place(sender, contact, now)
end

-- The template that was to ask for an answer, once nothing waits for the answer any more.
local function stop_nudge(id, now, who)
  local nudge = redis.call('HGET', key('message', id), 'nudged_by')
  if not nudge or redis.call('EXISTS', key('held', 'nudge:' .. nudge)) == 1 then
    return
  end
  local found = owned(nudge, '', FIELDS)
  if found and WAITING[found[2]] then
    stop(nudge, found, now, who)
  end
end

local function cancel(row)
  local now, id, who = row[1], row[2], row[4]
  local found = owned(id, row[3], FIELDS)
  if not found then
    return {'missing'}
  end
  if found[2] == 'cancelled' then
    return {'cancelled'}
  end
  if not WAITING[found[2]] then
    return {'refused', found[2]}
  end
  stop(id, found, now, who)
  stop_nudge(id, now, who)
  return {'cancelled'}
end

return each_row(4, cancel)
