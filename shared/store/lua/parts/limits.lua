-- What a provider allows: a sender's rate, the pace for one contact, the contacts of a day outside their windows.
-- domain/limits.py does the same sums; a property test holds the two together.
local DAY = 86400000

-- What of it is watched, as one word list: interval and most messages of the pair rule (ms; 0: none), most contacts
-- a day (0: not watched), portfolio that shares them.
local function read_limits(text)
  local interval, burst, most, portfolio = string.match(text, '^(%d+) (%d+) (%d+) (%S+)$')
  return {interval = tonumber(interval), burst = tonumber(burst), most = tonumber(most), portfolio = portfolio}
end

-- The contact whose leaving makes room for one more in a day: when it was reached. nil: there is room.
local function full_since(limits)
  return redis.call('ZRANGE', key('reached', limits.portfolio), -limits.most, -limits.most, 'WITHSCORES')[2]
end

-- What a decision sees of them: the burst to the contact (`start|count`), when it was last reached outside its
-- window, since when the day is full; '' for none.
local function standing_of(sender, contact, limits)
  local burst = limits.interval > 0 and redis.call('GET', key('pair', sender, contact)) or ''
  if limits.most == 0 then
    return {burst}
  end
  local reached = redis.call('ZSCORE', key('reached', limits.portfolio), contact)
  return {burst, reached or '', full_since(limits) or ''}
end

-- The burst with one more message, or nil: the contact has to be left alone for now.
local function next_burst(burst, limits, now)
  local started, count = string.match(burst or '', '^(%d+)|(%d+)$')
  if not started or 5 * (now - started) >= (5 * count + 1) * limits.interval then
    return whole(now) .. '|1', limits.interval
  elseif tonumber(count) < limits.burst and 3 * (now - started) < 2 * limits.interval then
    return started .. '|' .. whole(count + 1), (count + 1) * limits.interval
  end
end

local function may_reach(contact, limits, now)
  local reached = redis.call('ZSCORE', key('reached', limits.portfolio), contact)
  if reached and reached + DAY > now then
    return true
  end
  local since = full_since(limits)
  return not since or since + DAY <= now
end

-- How many more contacts a day has room for, at most `most`; all when nobody watches.
local function room_of(limits, now, most)
  if limits.most == 0 then
    return most
  end
  local used = redis.call('ZCOUNT', key('reached', limits.portfolio), '(' .. whole(now - DAY), '+inf')
  return math.max(0, math.min(most, limits.most - used))
end

-- Takes one message of each limit that binds, all or none. Returns whether it may go. `gates`: of the sender
-- (parts/gates.lua); `counts`: it goes outside the window; `interval` and `tolerance` are of the sender's rate (ms).
local function take_limits(sender, gates, contact, limits, counts, interval, tolerance, now)
  local tat, promised = math.max(tonumber(gates[7] or '0'), now), tonumber(gates[8] or '0')
  if tat - tolerance > now or (counts and limits.most > 0 and not may_reach(contact, limits, now)) then
    return false
  end
  if limits.interval > 0 then
    local pair = key('pair', sender, contact)
    local burst, life = next_burst(redis.call('GET', pair), limits, now)
    if not burst then
      return false
    end
    redis.call('SET', pair, burst, 'PX', whole(life + 60000)) -- by Redis' own clock, so a little longer
  end
  if counts and limits.most > 0 then
    local reached = key('reached', limits.portfolio)
    redis.call('ZADD', reached, now, contact)
    redis.call('ZREMRANGEBYSCORE', reached, '-inf', whole(now - DAY))
    redis.call('PEXPIRE', reached, whole(2 * DAY))
  end
  redis.call('HSET', key('sender', sender), 'tat', string.format('%.3f', tat + interval),
    'promised', math.max(promised - 1, 0))
  return true
end

-- What a contact writes counts as well, and never waits: up to three quarters of the rate, so that a flood slows what
-- we send and does not stop it.
local function take_inbound(sender, interval, now)
  local found = redis.call('HMGET', key('sender', sender), 'tat', 'inbound_tat')
  local inbound = math.max(tonumber(found[2] or '0'), now)
  if inbound > now + 250 then
    return
  end
  local tat = math.max(tonumber(found[1] or '0'), now)
  redis.call('HSET', key('sender', sender), 'tat', string.format('%.3f', tat + interval),
    'inbound_tat', string.format('%.3f', inbound + interval * 4 / 3))
end
