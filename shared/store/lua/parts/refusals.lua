-- What a closed window at the provider means for the message that met it. Stands on lanes and windows.

-- The provider said that the window is closed: it is, until the contact writes after that attempt began.
-- The message is decided once more from the top; a second refusal ends it.
local function refuse_window(id, now)
  local message = key('message', id)
  local found = redis.call('HMGET', message, 'sender', 'contact', 'begun_at', 'state', 'score', 'expires_at')
  local sender, contact = found[1], found[2]
  count('window_disagreements_total:' .. sender .. ':false_open')
  refute_window(sender, resolve(contact), found[3], now)
  if redis.call('HINCRBY', message, 'window_refusals', 1) >= 2 then
    fail(id, sender, contact, 'provider_window_closed', now)
    return 'failed'
  end
  set_state(id, found[4], 'queued', now)
  redis.call('HSET', message, 'not_before', '0')
  redis.call('ZADD', key('lane', sender, contact), found[5], id)
  redis.call('ZADD', key('expiring'), found[6], id)
  note(id, now, 'window_refused')
  return 'queued'
end
