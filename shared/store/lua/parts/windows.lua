-- The window of a sender and a contact: `last opening event (ms)|its id|start of a refused attempt (ms or '')`; 0
-- where the contact has not written, or not that we know.

local function read_window(sender, contact)
  local standing = redis.call('GET', key('window', sender, contact))
  if not standing then
    return nil
  end
  local last, event, refused = string.match(standing, '^(%d*)|(.*)|(%d*)$')
  return tonumber(last), event, tonumber(refused)
end

-- `ends`: by Redis' own clock (ms); nil keeps the end that it has.
local function write_window(sender, contact, last, event, refused, ends)
  local value = whole(last) .. '|' .. event .. '|' .. (refused and whole(refused) or '')
  if ends then
    redis.call('SET', key('window', sender, contact), value, 'PXAT', whole(ends))
  else
    redis.call('SET', key('window', sender, contact), value, 'KEEPTTL')
  end
end

-- Looks at an open window from `at` on, to tell when it closes; until then it counts as open.
local function watch_window(sender, contact, at)
  redis.call('ZADD', key('closing', sender), 'NX', whole(at), contact)
  redis.call('SADD', key('windowed'), sender)
end

-- Opens or refreshes a window; an older event than the one that stands changes nothing. Returns whether it was closed
-- before, and whether it is open by this event, whatever the provider refused before.
local function open_window(sender, contact, event_at, event, length, now)
  local last, standing, refused = read_window(sender, contact)
  if last and (event_at < last or (event_at == last and event <= standing)) then
    return
  end
  write_window(sender, contact, event_at, event, refused, event_at + length)
  local was_open = last and last + length > tonumber(now) and last > (refused or 0)
  if not was_open and event_at > (refused or 0) then
    local ends = event_at + length
    emit(now, 'window.opened', '', sender, contact, string.format('{"expires_at":%.0f}', ends))
    watch_window(sender, contact, ends - length / 24)
    return true, true
  end
  return false, event_at > (refused or 0)
end

-- Tells of a sender's windows that are about to close or have closed. What was refreshed since is looked at again later.
local function tend_windows_of(sender, now, length, most)
  for _, contact in ipairs(redis.call('ZRANGEBYSCORE', key('closing', sender), '-inf', now, 'LIMIT', 0, most)) do
    local last, _, refused = read_window(sender, contact)
    local ends = last and last + length or 0
    local next_look
    if last and last <= (refused or 0) then
      next_look = nil -- told when the provider refused
    elseif ends <= now then
      emit(now, 'window.closed', '', sender, contact, '{"reason":"expired"}')
    elseif ends - length / 24 > now then
      next_look = ends - length / 24
    else
      emit(now, 'window.expiring', '', sender, contact, string.format('{"expires_at":%.0f}', ends))
      next_look = ends
    end
    if next_look then
      redis.call('ZADD', key('closing', sender), whole(next_look), contact)
    else
      redis.call('ZREM', key('closing', sender), contact)
    end
  end
end

local function tend_windows(now, length, most)
  for _, sender in ipairs(redis.call('SMEMBERS', key('windowed'))) do
    tend_windows_of(sender, now, length, most)
    if redis.call('EXISTS', key('closing', sender)) == 0 then
      redis.call('SREM', key('windowed'), sender)
    end
  end
end

-- The provider would not take a free message: closed for all that was written before that attempt began.
local function refute_window(sender, contact, begun_at, now)
  local last, event, refused = read_window(sender, contact)
  local at = tonumber(begun_at)
  if not last then
    -- Kept for what was written before and has not come yet: it opens nothing.
    redis.call('SET', key('window', sender, contact), '0||' .. whole(at), 'PX', '90000000')
  elseif at > (refused or 0) then
    write_window(sender, contact, last, event, at)
    if last > 0 and last <= at and not (refused and last <= refused) then
      emit(now, 'window.closed', '', sender, contact, '{"reason":"provider"}')
      redis.call('ZREM', key('closing', sender), contact)
    end
  end
  redis.call('HINCRBY', key('contact', contact), 'version', 1)
end

-- What was refused by the word of an attempt is refused no more: that attempt arrived.
local function accept_window(sender, contact, begun_at, now)
  local last, event, refused = read_window(sender, contact)
  if last and refused and refused == tonumber(begun_at) then
    write_window(sender, contact, last, event, nil)
    watch_window(sender, contact, now)
  end
end
