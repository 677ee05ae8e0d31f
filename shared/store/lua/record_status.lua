-- Records what the provider reports about an attempt. States only move forward; `failed` yields to `delivered`.
-- USES once lanes consent suppressed windows refusals identity pricing gates templates effects statuses
-- ROWS 17
-- KEYS  business
-- ARGV  for each row: now, id, attempt, state, reported at, error (JSON or ''), how it goes on ('', 'window' if it met
--       a closed one, else 'retry:<most tries or ''>:<least wait in ms>:<jitter>'), as what it is billed with the
--       pricing (or ''), provider's id, sender that the report came to, contact and its other names that the report
--       shows (or ''), all senders of the business (space between), category that the contact does not want, the
--       report says (or ''), effects of the error on others (JSON or ''), keyed hashes of the names, its code (or '')
-- Returns for each row {'moved'}, {'unchanged'}, {'rerouted'}, {'old_attempt'} or {'unknown_message'}
local function record(row)
  local now, id, attempt, reported, message = row[1], row[2], row[3], row[4], key('message', row[2])
  if redis.call('HGET', message, 'sender') ~= row[10] then -- not ours, or erased: then its names are nobody's either
    tally_unmatched(row[10], id, attempt, reported)
    return {'unknown_message'}
  end
  for _, name in ipairs(words(row[12])) do
    link(name, row[11], row[5], now, words(row[13]))
    stand_again(resolve(row[11]), row[16])
  end
  local found = redis.call('HMGET', message, 'state', 'attempts', 'sender', 'contact', 'rerouted')
  local state, sender, contact = found[1], found[3], found[4]
  if row[14] ~= '' then
    put_preference(now, sender, resolve(contact), row[14], 'opted_out', tonumber(row[5]), 'provider_error', id)
  end
  if found[2] ~= attempt then
    note(id, now, 'status_of_old_attempt', {status = reported, attempt = tonumber(attempt)})
    return {'old_attempt'}
  end
  if row[8] ~= '' then
    price(message, attempt, sender, row[8])
  end
  if row[9] ~= '' then
    redis.call('HSETNX', message, 'provider_message_id', row[9])
  end

  local goes_on, arrived = row[7], (RANK[reported] or 0) >= RANK.delivered
  local moves = moves_on(state, reported, found[5] == attempt and goes_on == '')
  if not moves then
    if state == 'failed' and goes_on == 'window' then
      refute_window(sender, resolve(contact), redis.call('HGET', message, 'begun_at'), now) -- true all the same
    end
    return {'unchanged'}
  end
  if arrived then
    accept_window(sender, resolve(contact), redis.call('HGET', message, 'begun_at'), now)
  end
  if row[15] ~= '' then
    apply_effects(now, sender, contact, id, attempt, row[5], row[15])
  end
  local is_claimed = redis.call('HGET', key('claimed', sender), contact) == id
  if goes_on ~= '' then
    redis.call('HSET', message, 'result:' .. attempt, row[6], 'rerouted', attempt)
    if goes_on == 'window' then
      refuse_window(id, now)
    else
      retry_late(id, now, goes_on)
    end
    place(sender, contact, now)
    tell_failure(now, id, attempt, sender, row[17], goes_on)
    return {'rerouted'}
  end
  if row[6] ~= '' then
    redis.call('HSET', message, 'result:' .. attempt, row[6], 'reason', 'provider_error')
  end
  set_state(id, state, reported, now, sender)
  tell_failure(now, id, attempt, sender, row[17], goes_on)
  note(id, now, reported, {reported_at = tonumber(row[5])})
  unhold(id)
  if state == 'unknown' or WAITING[state] then
    redis.call('HDEL', key('paused', sender), contact)
  end
  if not is_claimed then
    leave_lane(id, sender, contact)
    place(sender, contact, now)
  end
  return {'moved'}
end

return each_row(17, record)
