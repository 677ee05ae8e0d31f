-- The last word before the provider is called: is the claim still ours, is what was decided on still true,
-- is there time and a token left. Only after 'go' may the request leave.
-- USES lanes limits deciding gates seconds
-- EACH 15
-- KEYS  business
-- ARGV  now, sender, contact, id, fence, nonce, versions, begin_before (ms), end of the lease,
--       interval and tolerance of the sender's rate (ms), attempt (JSON), what is watched (parts/limits.lua), 1 if it
--       goes outside the contact's window, its route's kind and rule (':' between)
-- Returns {'go', attempt}, also when it is asked again with the same nonce; {'lost'}; {'changed', facts}, also when a
-- limit is used up; {'late', facts}
local now, sender, contact, id, fence = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local interval, tolerance = tonumber(ARGV[10]), tonumber(ARGV[11])
local message, limits = key('message', id), read_limits(ARGV[13])
local found = redis.call('HMGET', message, 'fence', 'state', 'nonce', 'attempts', 'templates', 'timeline', 'reason',
  'route', 'accepted_at')

if found[1] ~= fence or redis.call('HGET', key('claimed', sender), contact) ~= id then
  return {'lost'}
end
if found[2] == 'sending' then
  return found[3] == ARGV[6] and {'go', found[4]} or {'lost'}
end
if not WAITING[found[2]] and found[2] ~= 'unknown' then
  -- A late status, a cancellation or the like settled it while it was claimed.
  leave_lane(id, sender, contact)
  unclaim(sender, contact)
  place(sender, contact, now, true)
  return {'lost'}
end
local gates, person = gates_of(sender), resolve(contact)
local of_person = redis.call('HGET', key('contact', person), 'version')
if versions_word(person, of_person, gates[10], found[5]) ~= ARGV[7] then
  return {'changed', facts(sender, contact, found[5], limits)}
end
if now > tonumber(ARGV[8]) then
  return {'late', facts(sender, contact, found[5], limits)}
end

-- A pause of the sender, or a circuit that has opened since the claim.
local from = tonumber(gates[4] or '0')
if from > now or (gates[5] and gates[6] ~= id) then
  redis.call('HSET', message, 'not_before', whole(from), 'claims', 0)
  unclaim(sender, contact)
  place(sender, contact, now, true)
  return {'limited'}
end
if not take_limits(sender, gates, contact, limits, ARGV[14] == '1', interval, tolerance, now) then
  return {'changed', facts(sender, contact, found[5], limits)}
end

local attempt = tonumber(found[4]) + 1
redis.call('HSET', message, 'state', 'sending', 'state_at', ARGV[1], 'attempts', attempt, 'nonce', ARGV[6],
  'begun_at', ARGV[1], 'claims', 0, 'attempt:' .. attempt, ARGV[12],
  'timeline', with_line(found[6], now, 'sending', {attempt = attempt}))
if found[7] or found[8] then
  redis.call('HDEL', message, 'route', 'reason')
end
index_state(id, found[2], 'sending', ARGV[1])
redis.call('ZADD', key('leased', sender), ARGV[9], contact)
tally('messages_routed_total:' .. sender .. ':' .. ARGV[15])
if attempt == 1 then
  tally_seconds('accept_to_provider_seconds', '', now - found[9])
end
return {'go', attempt}
