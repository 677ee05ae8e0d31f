-- Says by hand how a message in doubt ended; its followers wait no longer. What the provider says later still counts.
-- USES lanes hands
-- KEYS  business
-- ARGV  now, id, app that it must belong to ('': any), who asks, outcome: submitted, delivered or failed
-- Returns {'resolved'}, also for a repeat; {'refused', state}; {'missing'}
local now, id, outcome = ARGV[1], ARGV[2], ARGV[5]
local message = key('message', id)
local found = owned(id, ARGV[3], {'state', 'sender', 'contact', 'not_before', 'resolved'})
if not found then
  return {'missing'}
end
local state, sender, contact = found[2], found[3], found[4]
if state ~= 'unknown' then
  return found[6] == outcome and {'resolved'} or {'refused', state}
end

set_state(id, state, outcome, now)
redis.call('ZREM', key('unheard', sender), id)  -- a hand has said it: nobody waits for the provider's word
redis.call('HSET', message, 'resolved', outcome)
if outcome == 'failed' then
  redis.call('HSET', message, 'reason', 'resolved_by_hand')
else
  redis.call('HDEL', message, 'reason')
end
note(id, now, 'resolved', {by = ARGV[4], outcome = outcome})
step_out(id, sender, contact, found[5])
place(sender, contact, now)
return {'resolved'}
