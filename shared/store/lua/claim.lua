-- Claims the heads of up to n lanes of a sender, high priority first, each with a lease and a fence.
-- KEYS  business
-- ARGV  now, sender, n, end of the lease, interval and tolerance of the sender's rate (ms), most claims without a begin
-- Returns {status, claim, …}: status 'claimed', 'limited' (no token left now) or 'halted';
--         claim {id, fence, contact, request, attempts, window_refusals, tries, facts}
local now, sender, n, lease_end = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local interval, tolerance, most_claims = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local taken = {'claimed'}

-- The lane's head that may be looked at; a doubt whose grace is over steps aside unless it is to be resent.
local function head_of(contact)
  local lane = key('lane', sender, contact)
  while true do
    local id = redis.call('ZRANGE', lane, 0, 0)[1]
    if not id then
      return nil
    end
    local found = redis.call('HMGET', key('message', id), 'state', 'in_doubt', 'not_before')
    if not found[1] or (found[1] == 'unknown' and found[2] ~= 'resend' and tonumber(found[3]) <= now) then
      leave_lane(id, sender, contact)
    else
      return id, tonumber(found[3])
    end
  end
end

local function end_as_internal_error(id, contact)
  local message = key('message', id)
  set_state(id, redis.call('HGET', message, 'state'), 'failed', now)
  redis.call('HSET', message, 'reason', 'internal_error')
  note(id, now, 'failed', {reason = 'internal_error'})
  leave_lane(id, sender, contact)
end

local function claim(contact)
  local id, from = head_of(contact)
  if not id or from > now then
    place(sender, contact, now)
    return
  end
  local message = key('message', id)
  if redis.call('HINCRBY', message, 'claims', 1) > most_claims then
    end_as_internal_error(id, contact)
    place(sender, contact, now)
    return
  end
  local fence = redis.call('HINCRBY', message, 'fence', 1)
  redis.call('ZADD', key('leased', sender), lease_end, contact)
  redis.call('HSET', key('claimed', sender), contact, id)
  local found = redis.call('HMGET', message, 'request', 'attempts', 'window_refusals', 'tries', 'templates')
  taken[#taken + 1] = {id, fence, contact, found[1], found[2], found[3] or '0', found[4] or '0',
    facts(sender, contact, found[5])}
end

redis.call('DEL', key('bell', sender))
local state = redis.call('HMGET', key('sender', sender), 'halted', 'tat')
if state[1] == 'all' then
  return {'halted'}
end
local tat = math.max(tonumber(state[2] or '0'), now)
local tokens = math.floor((now + tolerance - tat) / interval) + 1
if tokens < 1 then
  return {'limited'}
end
n = math.min(n, tokens)
for priority = 0, 2 do
  local ready = key('ready', sender, priority)
  local left = n - (#taken - 1)
  if left > 0 then
    for _, contact in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, left)) do
      redis.call('ZREM', ready, contact)
      claim(contact)
    end
  end
end
return taken
