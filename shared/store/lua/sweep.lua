-- What runs by the clock for a business: expiries and waking. One worker wins each beat.
-- KEYS  business
-- ARGV  now, life of the lock (ms), most messages a beat, length of a lease (ms)
-- Returns 1 if this caller won, else 0
local now, most = ARGV[1], tonumber(ARGV[3])
if not redis.call('SET', key('ticker'), '1', 'NX', 'PX', ARGV[2]) then
  return 0
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('expiring'), '-inf', now, 'LIMIT', 0, most)) do
  local message = key('message', id)
  local found = redis.call('HMGET', message, 'state', 'sender', 'contact', 'held_in')
  local state, sender, contact = found[1], found[2], found[3]
  if not state then
    redis.call('ZREM', key('expiring'), id)
  elseif not WAITING[state] or redis.call('HGET', key('claimed', sender), contact) == id then
    -- In flight or in doubt: whoever has it decides; look again after a lease.
    redis.call('ZADD', key('expiring'), whole(now + ARGV[4]), id)
  else
    set_state(id, state, 'expired', now)
    redis.call('HSET', message, 'reason', 'expired')
    note(id, now, 'expired')
    leave_lane(id, sender, contact)
    if found[4] then
      redis.call('ZREM', key('held', found[4]), id)
    end
    place(sender, contact, now)
  end
end

for _, group in ipairs(redis.call('SRANDMEMBER', key('waking'), 10)) do
  if wake(group, now, most) < most then
    redis.call('SREM', key('waking'), group)
  end
end
return 1
