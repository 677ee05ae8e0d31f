-- Records how a claim ended and gives the lane free. An old fence changes nothing.
-- KEYS  business
-- ARGV  now, sender, contact, id, fence, outcome, until (ms or ''), reason, result (JSON or ''), route (JSON or ''),
--       provider's id, group to wait in, counts as a try (1 or 0)
--       outcome: submitted, failed, refused, expired, deferred, held, unknown, window_refused, released
-- Returns {'settled', 1 if the contact has more to do now}, also for a repeat; {'stale'}
local now, sender, contact, id, fence = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local outcome, until_ms, reason = ARGV[6], ARGV[7], ARGV[8]
local message = key('message', id)
local found = redis.call('HMGET', message, 'fence', 'settled', 'state', 'attempts', 'score', 'expires_at')
local is_mine = found[1] == fence
local is_claimed = is_mine and redis.call('HGET', key('claimed', sender), contact) == id

if is_mine and found[2] == fence then
  return {'settled', 0}
end
-- A settle that comes after its lease ended still tells how the attempt ended: it resolves the doubt.
if not is_claimed and not (is_mine and found[3] == 'unknown') then
  return {'stale'}
end

local fields = {'settled', fence}
local function set(name, value)
  if value ~= '' then
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
end
set('route', ARGV[10])
set('provider_message_id', ARGV[11])
set('reason', reason)
if ARGV[9] ~= '' then
  set('result:' .. found[4], ARGV[9])
end
if until_ms ~= '' then
  set('not_before', until_ms)
end
redis.call('HSET', message, unpack(fields))
if ARGV[13] == '1' then
  redis.call('HINCRBY', message, 'tries', 1)
end

local state = found[3]
local is_ours_to_say = state == 'sending' or state == 'unknown' or WAITING[state]
if outcome == 'released' then
  redis.call('HINCRBY', message, 'claims', -1)
elseif outcome == 'window_refused' then
  state = refuse_window(id, now)
elseif is_ours_to_say and not (WAITING[state] and outcome == 'submitted') then
  -- A status that came before the settle, a late window refusal included, knows more than we do.
  set_state(id, state, outcome, now)
  note(id, now, outcome, {reason = reason ~= '' and reason or nil})
  state = outcome
end

if ARGV[12] ~= '' and (state == 'held' or state == 'deferred') then
  redis.call('ZREM', key('lane', sender, contact), id)
  redis.call('ZADD', key('held', ARGV[12]), found[5], id)
  redis.call('HSET', message, 'held_in', ARGV[12])
elseif WAITING[state] then
  redis.call('ZADD', key('lane', sender, contact), found[5], id)
  redis.call('ZADD', key('expiring'), found[6], id)
elseif state ~= 'unknown' then
  leave_lane(id, sender, contact)
end
if is_claimed then
  unclaim(sender, contact)
end
return {'settled', place(sender, contact, now)}
