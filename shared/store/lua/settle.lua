-- Records how a claim ended and gives the lane free. An old fence changes nothing.
-- USES lanes limits deciding windows refusals gates templates consent effects seconds standing
-- EACH 17
-- KEYS  business
-- ARGV  now, sender, contact, id, fence, outcome, until (ms or ''), reason, result (JSON or ''), route (JSON or ''),
--       provider's id, groups to wait in (space between), counts as a try (1 or 0), versions that a route which
--       sends nothing was decided on ('' for an attempt), effects of an error (JSON or ''), what the answer says of
--       the provider ('' or as note_answer takes it), the error's code, or kind and rule of a route that sends nothing
--       outcome: submitted, failed, refused, expired, deferred, held, unknown, window_refused, released
-- Returns {'settled', 1 if the contact has more to do now, 'opened' or 'closed' if the circuit is so now, or ''}, also
-- for a repeat; {'stale'}
local now, sender, id, fence = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local outcome, until_ms, reason, groups = ARGV[6], ARGV[7], ARGV[8], words(ARGV[12])
local message = key('message', id)
local found = redis.call('HMGET', message, 'fence', 'settled', 'state', 'attempts', 'score', 'expires_at', 'templates',
  'contact', 'timeline', 'app', 'begun_at')
local state, contact, is_mine = found[3], found[8] or ARGV[3], found[1] == fence
local is_claimed = is_mine and redis.call('HGET', key('claimed', sender), contact) == id
if is_mine and found[2] == fence then
  return {'settled', 0, ''}
end
-- A settle that comes after its lease ended still tells how the attempt ended: it resolves the doubt. A route
-- that sent nothing has no say by then.
if not is_claimed and not (is_mine and state == 'unknown' and ARGV[14] == '') then
  return {'stale'}
end
-- Decided without a begin, on facts that have changed since: to be decided again.
if ARGV[14] ~= '' and versions_of(sender, contact, found[7]) ~= ARGV[14] then
  outcome, until_ms, reason, groups = 'released', '', '', {}
end

-- Whoever settles is alive: only claims in a row that nobody settled speak of a bug.
local fields = {'settled', fence, 'claims', 0}
local function set(name, value)
  if value ~= '' then
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
end
set('route', ARGV[10])
set('provider_message_id', ARGV[11])
set('reason', reason)
set('not_before', until_ms)
set('result:' .. found[4], ARGV[9])
if until_ms ~= '' and #groups == 0 then
  redis.call('HSET', key('paused', sender), contact, until_ms)
end
if ARGV[13] == '1' then
  redis.call('HINCRBY', message, 'tries', 1)
end

-- What may still be said. A status that came before the settle, a late window refusal included, knows more than
-- we do; a doubt that was not begun again stays a doubt.
local is_doubt_kept = state == 'unknown' and is_claimed and outcome ~= 'released'
local is_in_flight = state == 'sending' or (state == 'unknown' and not is_claimed)
local is_refused = outcome == 'window_refused' and is_in_flight
local says_more = is_in_flight or (WAITING[state] and not OF_AN_ATTEMPT[outcome])
tally_settled(now, sender, found[3], outcome, ARGV[17], found[11])
if says_more and not is_refused and outcome ~= 'released' then
  index_state(id, state, outcome, now, found[10], sender)
  state = outcome
  set('state', state)
  set('state_at', now)
  set('timeline', with_line(found[9], now, state, {reason = reason ~= '' and reason or nil}))
end
redis.call('HSET', message, unpack(fields))
state = is_refused and refuse_window(id, now) or state

local leaves = state ~= 'unknown' or (is_doubt_kept and (outcome ~= 'deferred' or #groups > 0))
stand(id, sender, contact, WAITING[state], leaves, found, groups)
if is_claimed then
  unclaim(sender, contact)
end
if is_claimed and found[3] ~= 'sending' then
  give_back(sender)
end
if ARGV[15] ~= '' then
  apply_effects(now, sender, contact, id, found[4], now, ARGV[15])
end
local circuit = ARGV[16] ~= '' and note_answer(now, sender, ARGV[16]) or ''
return {'settled', place(sender, contact, now, is_claimed), circuit}
