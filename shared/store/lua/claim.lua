-- Claims the heads of up to n lanes of a sender, by priority and by turns of the apps, each with a lease and a fence.
-- USES lanes lapses limits deciding turns gates
-- KEYS  business
-- ARGV  now, sender, n, end of the lease, interval and tolerance of the sender's rate (ms), most claims without a
--       settle, nonce: asked again with the same one, it answers the same claims, what is watched (parts/limits.lua)
-- Returns {ended as internal errors, 1 if more is due than the rate lets go, {id, fence, contact, request, attempts, window_refusals, tries, facts}, …}
local now, sender, n, lease_end = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local interval, tolerance, most_claims = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local nonce, limits, taken, contacts = key('claim', sender, ARGV[8]), read_limits(ARGV[9]), {0, 0}, {}

local of_sender = redis.call('HGETALL', key('sender', sender))
-- Whether a message may be looked at, then what goes along with its claim.
local READ = {'state', 'in_doubt', 'not_before', 'claims', 'fence', 'request', 'attempts', 'window_refusals', 'tries',
  'templates'}

local function hand_over(contact, id, found)
  contacts[#contacts + 1] = contact
  taken[#taken + 1] = {id, found[5], contact, found[6], found[7], found[8] or '0', found[9] or '0',
    facts(sender, contact, found[10], limits, of_sender)}
end

-- The lane's head that may be looked at; a doubt whose grace is over steps aside unless it is to be resent.
local function head_of(contact)
  local id = redis.call('ZRANGE', key('lane', sender, contact), 0, 0)[1]
  local found = id and redis.call('HMGET', key('message', id), unpack(READ))
  if id and (not found[1] or (found[1] == 'unknown' and found[2] ~= 'resend' and tonumber(found[3]) <= now)) then
    leave_lane(id, sender, contact)
    return head_of(contact)
  end
  return id, found
end

local function claim(contact)
  local id, found = head_of(contact)
  local is_due = id and tonumber(found[3]) <= now
  if is_due and (found[4] or 0) + 1 > most_claims then
    fail(id, sender, contact, 'internal_error', now)
    tell_lapse(id, sender, 'failed', 'internal_error', whole(now))
    taken[1] = taken[1] + 1
    is_due = false
  end
  if not is_due then
    place(sender, contact, now)
    return
  end
  found[4], found[5] = (found[4] or 0) + 1, (found[5] or 0) + 1
  redis.call('HSET', key('message', id), 'claims', found[4], 'fence', found[5])
  redis.call('ZADD', key('leased', sender), lease_end, contact)
  redis.call('HSET', key('claimed', sender), contact, id)
  hand_over(contact, id, found)
end

local answered = redis.call('GET', nonce)
for _, contact in ipairs(cjson.decode(answered or '[]')) do
  local id = redis.call('HGET', key('claimed', sender), contact)
  if id then
    hand_over(contact, id, redis.call('HMGET', key('message', id), unpack(READ)))
  end
end
redis.call('DEL', key('bell', sender))
local gates = gates_of(sender)
local opens, tokens = opens_at(gates), tokens_of(gates, now, interval, tolerance)
if answered or not opens or opens > now then
  return taken
end
serve_by_turns(sender, now, math.min(n, math.max(tokens, 0)), function(due)
  local before = #contacts
  for _, contact in ipairs(due) do
    claim(contact)
  end
  return #contacts - before
end)
taken[2] = #contacts >= tokens and not gates[5] and has_due(sender, now) and 1 or 0
if #contacts > 0 then
  note_probe(sender, gates, taken[3][1], now)
  promise(sender, gates, #contacts, now)
  redis.call('SET', nonce, cjson.encode(contacts), 'PXAT', lease_end)
end
return taken
