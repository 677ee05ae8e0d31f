-- Sends messages again that ended badly, or whose end nobody knows: queued as if accepted now, at the end of the lane.
-- A higher fence shuts out whoever still has the old attempt in hand.
-- USES lanes hands
-- ROWS 10
-- KEYS  business
-- ARGV  for each row: now, id, app that it must belong to ('': any), who asks, nonce, new expires_at and request
--       (JSON) with it ('' keeps both), whether it may arrive twice (1 or 0), retention in ms, bell's life in ms
-- Returns for each row {'queued', ring}, also for a repeat with the same nonce; {'refused', state}; {'in_hand', state};
--       {'expired', state}: it needs a new expires_at; {'missing'}
local RETRIED = {failed = true, refused = true, expired = true}

local function retry(row)
  local now, id, nonce, expires_at = row[1], row[2], row[5], row[6]
  local message = key('message', id)
  local found = owned(id, row[3], {'state', 'sender', 'contact', 'not_before', 'retry', 'expires_at', 'priority'})
  if not found then
    return {'missing'}
  end
  local state, sender, old = found[2], found[3], found[4]
  if found[6] == nonce then
    return {'queued', 0}
  end
  if not RETRIED[state] and not (state == 'unknown' and row[8] == '1') then
    return {'refused', state}
  end
  if redis.call('HGET', key('claimed', sender), old) == id then
    return {'in_hand', state}
  end
  expires_at = expires_at ~= '' and expires_at or found[7]
  if tonumber(expires_at) <= tonumber(now) then
    return {'expired', state}
  end

  local contact = resolve(old)
  step_out(id, sender, old, found[5])
  local score = whole(tonumber(found[8]) * 4398046511104 + redis.call('HINCRBY', KEYS[1], 'order', 1))
  redis.call('HINCRBY', message, 'fence', 1)
  redis.call('HDEL', message, 'reason', 'tries', 'window_refusals', 'rerouted', 'undelivered', 'resolved',
    'nudge_failed')
  redis.call('HSET', message, 'retry', nonce, 'score', score, 'contact', contact, 'expires_at', expires_at,
    'not_before', 0, 'claims', 0)
  if row[7] ~= '' then
    redis.call('HSET', message, 'request', row[7])
    redis.call('PEXPIREAT', message, whole(expires_at + row[9]))
  end
  set_state(id, state, 'queued', now)
  note(id, now, 'retried', {by = row[4]})
  redis.call('ZADD', key('lane', sender, contact), score, id)
  redis.call('ZADD', key('expiring'), expires_at, id)
  if old ~= contact then
    place(sender, old, now)
  end
  place(sender, contact, now)
  return {'queued', redis.call('SET', key('bell', sender), '1', 'NX', 'PX', row[10]) and 1 or 0}
end

return each_row(10, retry)
