-- What runs by the clock for a sender: ended leases and halts, and whether its bell must be rung.
-- USES lanes lapses limits gates
-- KEYS  business
-- ARGV  now, sender, end of the grace of a doubt, result of a lost attempt (JSON), most leases a beat, bell's life (ms),
--       tolerance of its rate, how much of it is worth a ring (ms), what is watched (parts/limits.lua)
-- Returns {1 if the caller has to ring, leases ended before a begin, doubts, 1 if what is due waits for its rate}
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
    tell_lapse(id, sender, 'unknown', 'worker_lost', now)
    doubts = doubts + 1
  elseif found[1] and (WAITING[found[1]] or found[1] == 'unknown') then
    requeued = requeued + 1
  elseif found[1] then
    leave_lane(id, sender, contact)
  end
  unclaim(sender, contact)
  place(sender, contact, now, true)
end

redis.call('ZREMRANGEBYSCORE', key('unheard', sender), '-inf', now - 86400000)
end_halts(now, sender)
-- What waits for room in the day: no more than there is room for, who was first comes first.
local group = 'day:' .. sender
if redis.call('EXISTS', key('held', group)) == 1 then
  wake(group, now, room_of(read_limits(ARGV[9]), tonumber(now), tonumber(ARGV[5])))
end

local gates = gates_of(sender)
local ring, waits, opens = 0, 0, opens_at(gates)
if opens and opens <= tonumber(now) and has_due(sender, now) then
  if tonumber(gates[7] or '0') + ARGV[8] - ARGV[7] > tonumber(now) then
    waits = 1
  else
    ring = redis.call('SET', key('bell', sender), '1', 'NX', 'PX', ARGV[6]) and 1 or 0
  end
end
return {ring, requeued, doubts, waits}
