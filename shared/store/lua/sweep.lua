-- What runs by the clock for a business: expiries and waking. One worker wins each beat.
-- USES lanes lapses windows templates
-- KEYS  business
-- ARGV  now, life of the lock (ms), most messages a beat, length of a lease (ms), retention (ms), of a window (ms),
--       version of the data that the caller writes
-- Returns 1 if this caller won, else 0
local now, most = ARGV[1], tonumber(ARGV[3])
if not redis.call('SET', key('ticker'), '1', 'NX', 'PX', ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'beat_at', now)
-- A server that was emptied under running processes begins anew with the version of the data that they write.
redis.call('HSETNX', KEYS[1], 'data_version', ARGV[7])

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('expiring'), '-inf', now, 'LIMIT', 0, most)) do
  local message = key('message', id)
  local found = redis.call('HMGET', message, 'state', 'sender', 'contact')
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
    tell_lapse(id, sender or '', 'expired', 'expired', now)
    leave_lane(id, sender, contact)
    unhold(id)
    place(sender, contact, now)
  end
end

tend_windows(tonumber(now), tonumber(ARGV[6]), most)

-- Templates that an error stopped for a time.
for _, template in ipairs(redis.call('ZRANGEBYSCORE', key('resting'), '-inf', now, 'LIMIT', 0, most)) do
  redis.call('ZREM', key('resting'), template)
  resume_template(whole(now), template, cjson.encode({at = tonumber(now), by = 'finestra', event = 'resumed'}))
end

-- A group is walked once, in order: what is put back into it while it is walked is not woken again.
local waking = redis.call('HGETALL', key('waking'))
for i = 1, math.min(#waking, 20), 2 do
  local woken, last = wake(waking[i], now, most, waking[i + 1])
  if woken < most then
    redis.call('HDEL', key('waking'), waking[i])
  else
    redis.call('HSET', key('waking'), waking[i], last)
  end
end

for _, state in ipairs({'submitted', 'sent', 'delivered', 'read', 'played', 'unknown', 'failed', 'refused',
  'expired', 'cancelled'}) do
  redis.call('ZREMRANGEBYSCORE', key('state', state), '-inf', now - ARGV[5])
end
return 1
