-- How a lane gets its place, and how a message leaves it.

-- What was accepted for a name that now leads elsewhere goes to the lane of the contact that it leads to.
local function move_lane(sender, old, home)
  local lane = redis.call('ZRANGE', key('lane', sender, old), 0, -1, 'WITHSCORES')
  for i = 1, #lane, 2 do
    redis.call('HSET', key('message', lane[i]), 'contact', home)
    redis.call('ZADD', key('lane', sender, home), lane[i + 1], lane[i])
  end
  redis.call('DEL', key('lane', sender, old))
  local paused = key('paused', sender)
  local pause, standing = redis.call('HGET', paused, old), redis.call('HGET', paused, home)
  redis.call('HDEL', paused, old)
  if pause and tonumber(pause) > tonumber(standing or '0') then
    redis.call('HSET', paused, home, pause)
  end
end

-- Whether a message of this person is still in hand under a name that has joined since: the lane waits for it.
local function waits_for_other_name(sender, contact)
  local other = redis.call('HGET', key('joining', sender), contact)
  if other and redis.call('HEXISTS', key('claimed', sender), other) == 1 then
    return true
  elseif other then
    redis.call('HDEL', key('joining', sender), contact)
  end
  return false
end

-- A queue of `ready` is one priority of one app. `placed` says in which of them a contact stands; `queues` says from
-- when there may be something in each, at the earliest.
local function enter_queue(sender, contact, queue, from)
  redis.call('ZADD', key('ready', sender, queue), from, contact)
  redis.call('ZADD', key('queues', sender), 'LT', from, queue)
end

local function has_due(sender, now)
  return #redis.call('ZRANGEBYSCORE', key('queues', sender), '-inf', now, 'LIMIT', 0, 1) > 0
end

local function leave_queue(sender, contact, queue)
  if queue then
    redis.call('ZREM', key('ready', sender, queue), contact)
    redis.call('HDEL', key('placed', sender), contact)
  end
end

-- Puts a contact where its lane's head says: into the queue of its priority and app with the time from which it may
-- be looked at, never before its pause is over (a retry, a doubt), or nowhere. Who was accepted first goes first.
-- A claimed contact stays in `leased` and is placed when it is settled. Returns 1 if it is ready by `now`.
-- `was_claimed`: it was in hand until now, so it stands in no queue yet.
local function place(sender, contact, now, was_claimed)
  local queue = not was_claimed and redis.call('HGET', key('placed', sender), contact)
  if not was_claimed and not queue and redis.call('HEXISTS', key('claimed', sender), contact) == 1 then
    return 0
  end
  local home = resolve(contact)
  if home ~= contact then
    leave_queue(sender, contact, queue)
    move_lane(sender, contact, home)
    return place(sender, home, now)
  end
  if waits_for_other_name(sender, contact) then
    leave_queue(sender, contact, queue)
    return 0
  end
  local head = redis.call('ZRANGE', key('lane', sender, contact), 0, 0)[1]
  local pause = redis.call('HGET', key('paused', sender), contact)
  if not head then
    leave_queue(sender, contact, queue)
    if pause then
      redis.call('HDEL', key('paused', sender), contact)
    end
    return 0
  end
  local found = redis.call('HMGET', key('message', head), 'priority', 'not_before', 'accepted_at', 'app')
  local wanted = (found[1] or '1') .. ':' .. (found[4] or '')
  local from = math.max(tonumber(found[2] or '0'), tonumber(found[3] or '0'), tonumber(pause or '0'))
  if queue ~= wanted then
    leave_queue(sender, contact, queue)
    redis.call('HSET', key('placed', sender), contact, wanted)
  end
  enter_queue(sender, contact, wanted, from)
  return from <= tonumber(now) and 1 or 0
end

local function leave_lane(id, sender, contact)
  redis.call('ZREM', key('lane', sender, contact), id)
  redis.call('ZREM', key('expiring'), id)
end

local function unclaim(sender, contact)
  redis.call('HDEL', key('claimed', sender), contact)
  redis.call('ZREM', key('leased', sender), contact)
end

local function unhold(id)
  for _, group in ipairs(words(redis.call('HGET', key('message', id), 'held_in') or '')) do
    redis.call('ZREM', key('held', group), id)
  end
  redis.call('HDEL', key('message', id), 'held_in')
end

-- Moves what waits in a group (for a window, for a template, for a nudge that came to nothing) back to its lane: at
-- most `most` messages whose score is over `after`. Returns how many it looked at, and the last one's score.
local function wake(group, now, most, after)
  local from = after and '(' .. after or '-inf'
  local held = redis.call('ZRANGEBYSCORE', key('held', group), from, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #held, 2 do
    local id = held[i]
    local found = redis.call('HMGET', key('message', id), 'state', 'sender', 'contact')
    redis.call('ZREM', key('held', group), id)
    unhold(id)
    if WAITING[found[1] or ''] then
      set_state(id, found[1], 'queued', now)
      redis.call('HSET', key('message', id), 'not_before', '0')
      if string.sub(group, 1, 6) == 'nudge:' then
        redis.call('HSET', key('message', id), 'nudge_failed', '1')
      end
      redis.call('ZADD', key('lane', found[2], found[3]), held[i + 1], id)
      note(id, now, 'woken')
      place(found[2], found[3], now)
    end
  end
  return #held / 2, held[#held]
end

-- Wakes what waits for a contact to write to a sender: the first hundred now, the rest by the clock.
local function wake_for_window(sender, contact, now)
  local group = 'window:' .. sender .. ':' .. contact
  if redis.call('EXISTS', key('held', group)) == 1 then
    local woken, last = wake(group, now, 100)
    if woken == 100 then
      redis.call('HSET', key('waking'), group, last)
    end
  end
end

local function fail(id, sender, contact, reason, now)
  set_state(id, redis.call('HGET', key('message', id), 'state'), 'failed', now)
  redis.call('HSET', key('message', id), 'reason', reason)
  note(id, now, 'failed', {reason = reason})
  leave_lane(id, sender, contact)
end
