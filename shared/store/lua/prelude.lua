-- Prepended to every script: how keys are written, how a message changes state, how a lane gets its place.
-- KEYS[1] is always business:{tag}; every other key is built from that tag, so one business is one slot.
-- The same names stand in keys.py; a test compares the two. All times are milliseconds since the epoch.

local tag = string.match(KEYS[1], '%b{}')

local function key(kind, ...)
  return table.concat({kind, tag, ...}, ':')
end

-- A sum of times as Redis takes it: whole, never in exponent form.
local function whole(number)
  return string.format('%.0f', number)
end

-- One more of something; the fields are names of metrics, with their labels after ':'.
local function count(name)
  redis.call('HINCRBY', key('counters'), name, 1)
end

local RANK = {sent = 1, delivered = 2, read = 3, played = 4}
local WAITING = {queued = true, deferred = true, held = true}

local function set_state(id, old, new, now)
  if old and old ~= '' then
    redis.call('ZREM', key('state', old), id)
  end
  redis.call('HSET', key('message', id), 'state', new, 'state_at', now)
  redis.call('ZADD', key('state', new), now, id)
end

-- One line of the timeline; `more` is a table of plain values or nil.
local function note(id, now, event, more)
  local entry = more or {}
  entry.at = tonumber(now)
  entry.event = event
  local message = key('message', id)
  local lines = redis.call('HGET', message, 'timeline')
  local line = cjson.encode(entry)
  redis.call('HSET', message, 'timeline', lines and (lines .. '\n' .. line) or line)
end

-- Puts a contact where its lane's head says: into `ready` with its priority and the time from which it may be
-- looked at, never before its pause is over (a retry, a doubt), or nowhere. Who was accepted first goes first.
-- A claimed contact stays in `leased` and is placed when it is settled. Returns 1 if it is ready by `now`.
-- `was_claimed`: it was in hand until now, so it stands in no `ready` yet.
local function place(sender, contact, now, was_claimed)
  if not was_claimed then
    if redis.call('HEXISTS', key('claimed', sender), contact) == 1 then
      return 0
    end
    for priority = 0, 2 do
      redis.call('ZREM', key('ready', sender, priority), contact)
    end
  end
  local head = redis.call('ZRANGE', key('lane', sender, contact), 0, 0)[1]
  local pause = redis.call('HGET', key('paused', sender), contact)
  if not head then
    if pause then
      redis.call('HDEL', key('paused', sender), contact)
    end
    return 0
  end
  local found = redis.call('HMGET', key('message', head), 'priority', 'not_before', 'accepted_at')
  local from = math.max(tonumber(found[2] or '0'), tonumber(found[3] or '0'), tonumber(pause or '0'))
  redis.call('ZADD', key('ready', sender, found[1] or '1'), from, contact)
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

local function words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do
    list[#list + 1] = word
  end
  return list
end

local function unhold(id)
  for _, group in ipairs(words(redis.call('HGET', key('message', id), 'held_in') or '')) do
    redis.call('ZREM', key('held', group), id)
  end
  redis.call('HDEL', key('message', id), 'held_in')
end

-- Moves what waits in a group (for a window, for a template) back to its lane: at most `most` messages whose
-- score is over `after`. Returns how many it looked at, and the last one's score.
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
      redis.call('ZADD', key('lane', found[2], found[3]), held[i + 1], id)
      note(id, now, 'woken')
      place(found[2], found[3], now)
    end
  end
  return #held / 2, held[#held]
end

local function fail(id, sender, contact, reason, now)
  set_state(id, redis.call('HGET', key('message', id), 'state'), 'failed', now)
  redis.call('HSET', key('message', id), 'reason', reason)
  note(id, now, 'failed', {reason = reason})
  leave_lane(id, sender, contact)
end

-- The provider said that the window is closed: it is, until the contact writes after that attempt began.
-- The message is decided once more from the top; a second refusal ends it.
local function refuse_window(id, now)
  local message = key('message', id)
  local found = redis.call('HMGET', message, 'sender', 'contact', 'begun_at', 'state', 'score', 'expires_at')
  local sender, contact = found[1], found[2]
  local window = key('window', sender, contact)
  local standing = redis.call('GET', window)
  if standing then
    local last, event = string.match(standing, '^(%d*)|(.*)|%d*$')
    redis.call('SET', window, last .. '|' .. event .. '|' .. found[3], 'KEEPTTL')
  end
  redis.call('HINCRBY', key('contact', contact), 'version', 1)
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

-- One consent record (JSON in `record`) for one category; newer wins, on a tie of seconds an opt-out wins.
local function put_consent(contact, category, status, at_seconds, record)
  local hash = key('contact', contact)
  local standing = redis.call('HGET', hash, 'consent:' .. category)
  if standing then
    local old = cjson.decode(standing)
    local newer = at_seconds > old.at or (at_seconds == old.at and status == 'opted_out')
    if not newer then
      return 0
    end
  end
  redis.call('HSET', hash, 'consent:' .. category, record)
  redis.call('HINCRBY', hash, 'version', 1)
  return 1
end

-- What changes whenever something does that a decision looks at: contact, sender, then each template.
local function versions_of(sender, contact, templates)
  local versions = {
    redis.call('HGET', key('contact', contact), 'version') or '0',
    redis.call('HGET', key('sender', sender), 'version') or '0',
  }
  for _, template in ipairs(words(templates)) do
    versions[#versions + 1] = redis.call('HGET', key('template', template), 'version') or '0'
  end
  return table.concat(versions, '.')
end

-- All that a decision looks at: versions, window, contact, sender, then one hash a template.
local function facts(sender, contact, templates)
  local answer = {
    versions_of(sender, contact, templates),
    redis.call('GET', key('window', sender, contact)) or '',
    redis.call('HGETALL', key('contact', contact)),
    redis.call('HGETALL', key('sender', sender)),
  }
  for _, template in ipairs(words(templates)) do
    answer[#answer + 1] = redis.call('HGETALL', key('template', template))
  end
  return answer
end
