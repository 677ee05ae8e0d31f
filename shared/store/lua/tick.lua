-- What runs by the clock for a sender: ended leases and halts, and whether its bell must be rung.
-- USES lanes gates
-- KEYS  business
-- ARGV  now, sender, end of the grace of a doubt, result of a lost attempt (JSON), most leases a beat, bell's life (ms)
-- Returns {1 if the caller has to ring, leases ended before a begin, doubts}
local now, sender = ARGV[1], ARGV[2]
local requeued, doubts = 0, 0

for _, contact in ipairs(redis.call('ZRANGEBYSCORE', key('leased', sender), '-inf', now, 'LIMIT', 0, ARGV[5])) do
  local id = redis.call('HGET', key('claimed', sender), contact)
  local message = id and key('message', id)
  local found = id and redis.call('HMGET', message, 'state', 'attempts') or {}
  if found[1] == 'sending' then
    set_state(id, 'sending', 'unknown', now)
    redis.call('HSET', message, 'not_before', ARGV[3], 'reason', 'worker_lost', 'result:' .. found[2], ARGV[4])
    redis.call('HSET', key('paused', sender), contact, ARGV[3])
    note(id, now, 'unknown', {reason = 'worker_lost'})
    doubts = doubts + 1
  elseif found[1] and (WAITING[found[1]] or found[1] == 'unknown') then
    requeued = requeued + 1
  elseif found[1] then
    leave_lane(id, sender, contact)
  end
  unclaim(sender, contact)
  place(sender, contact, now, true)
end

end_halts(now, sender)
local ring, opens = 0, opens_at(gates_of(sender))
if opens and opens <= tonumber(now) then
  local due = redis.call('ZRANGEBYSCORE', key('queues', sender), '-inf', now, 'LIMIT', 0, 1)
  if #due > 0 then
    ring = redis.call('SET', key('bell', sender), '1', 'NX', 'PX', ARGV[6]) and 1 or 0
  end
end
return {ring, requeued, doubts}
