-- Prepended to every script: how keys are written, how a message changes state, who is meant by a name. What only
-- some need stands in parts/, and a script says so: USES, then their names.
-- KEYS[1] is always business:{tag}; every other key is built from that tag, so one business is one slot.
-- The same names stand in keys.py; a test compares the two. All times are milliseconds since the epoch.

local tag = ':' .. string.match(KEYS[1], '%b{}')

-- Written out: every script builds a dozen of these, and a table for each would cost more than the commands.
local function key(kind, one, two, three)
  if not one then
    return kind .. tag
  elseif not two then
    return kind .. tag .. ':' .. one
  elseif not three then
    return kind .. tag .. ':' .. one .. ':' .. two
  end
  return kind .. tag .. ':' .. one .. ':' .. two .. ':' .. three
end

-- A sum of times as Redis takes it: whole, never in exponent form.
local function whole(number)
  return string.format('%.0f', number)
end

-- Counted when all rows are done, each metric once: what the hot scripts count, they count for every message.
local tallied = {}
local function tally(name, amount)
  tallied[name] = (tallied[name] or 0) + (amount or 1)
end

-- Runs `record` for each row of arguments of a script that says ROWS: many updates, one command. Each row is a step of
-- its own; an error in one is its answer, {'error', text}, and costs the others nothing.
local function each_row(width, record)
  local answers = {}
  for start = 1, #ARGV, width do
    local ok, answer = pcall(record, {unpack(ARGV, start, start + width - 1)})
    if not ok then
      answer = {'error', tostring(type(answer) == 'table' and answer.err or answer)}
    end
    answers[#answers + 1] = answer
  end
  for name, amount in pairs(tallied) do
    redis.call('HINCRBY', key('counters'), name, whole(amount))
  end
  return answers
end

-- One more of something; the fields are names of metrics, with their labels after ':'.
local function count(name)
  redis.call('HINCRBY', key('counters'), name, 1)
end

-- Tells apps that something happened: one entry of the stream, with ids only; what they get is read when it is
-- read. `ref`: a message, or what an inbound message is kept under. `more` is JSON or nil.
local function emit(now, type, ref, sender, contact, more)
  local stream = key('events')
  if not sender then
    redis.call('XADD', stream, 'MAXLEN', '~', '200000', '*', 't', type, 'at', now, 'r', ref)
  elseif not more then
    redis.call('XADD', stream, 'MAXLEN', '~', '200000', '*', 't', type, 'at', now, 'r', ref, 's', sender, 'c', contact)
  else
    redis.call('XADD', stream, 'MAXLEN', '~', '200000', '*', 't', type, 'at', now, 'r', ref, 's', sender, 'c', contact,
      'm', more)
  end
end

-- Who is meant by a name: a contact has one name that all its keys carry, and others that lead to it.
local function resolve(contact)
  for _ = 1, 8 do
    local alias = redis.call('GET', key('alias', contact))
    if not alias then
      return contact
    end
    contact = string.match(alias, '^(.*)|')
  end
  return contact
end

-- Keeps the newer of a value and what stands, both with their times; on a tie the smaller, so that order is nothing.
local function keep_newer(hash, name, value, at)
  local standing = redis.call('HMGET', hash, name, name .. '_at')
  local since = tonumber(standing[2] or '-1')
  if at > since or (at == since and value < standing[1]) then
    redis.call('HSET', hash, name, value, name .. '_at', whole(at))
    return true
  end
  return false
end

local RANK = {sent = 1, delivered = 2, read = 3, played = 4}
local WAITING = {queued = true, deferred = true, held = true}

-- What an app still has in hand here: its backlog.
local OWED = {queued = true, deferred = true, held = true, sending = true}

local OF_AN_ATTEMPT = {submitted = true, failed = true, unknown = true, window_refused = true}
local TOLD = {submitted = true, sent = true, delivered = true, read = true, failed = true, refused = true,
  expired = true, cancelled = true, held = true, unknown = true}

-- A nudge that came to nothing: what waits for its answer is decided anew, and another may be sent.
local function end_nudge(id)
  local found = redis.call('HMGET', key('message', id), 'nudge_for', 'sender', 'contact')
  if found[1] then
    local contact, name = key('contact', resolve(found[3])), 'nudge:' .. found[2]
    if redis.call('HGET', contact, name) == id then
      redis.call('HDEL', contact, name, name .. '_at')
    end
    redis.call('HINCRBY', contact, 'version', 1)
    redis.call('HSET', key('waking'), 'nudge:' .. id, '0')
  end
end

local ENDS_BADLY = {failed = true, refused = true, expired = true, cancelled = true}

-- Where a message stands is kept in it and in the index of its state, and counted for its app; apps are told of some.
-- This is all but the message itself. `app`, `sender`: its own, where they were read already.
local function index_state(id, old, new, now, app, sender)
  if (OWED[old or ''] or false) ~= (OWED[new] or false) then
    app = app or redis.call('HGET', key('message', id), 'app')
    redis.call('HINCRBY', key('backlog'), app, OWED[new] and 1 or -1)
  end
  if old and old ~= '' then
    redis.call('ZREM', key('state', old), id)
  end
  redis.call('ZADD', key('state', new), now, id)
  if new == 'submitted' or old == 'submitted' then
    local unheard = key('unheard', sender or redis.call('HGET', key('message', id), 'sender'))
    if new == 'submitted' then
      redis.call('ZADD', unheard, now, id)
    else
      redis.call('ZREM', unheard, id)
    end
  end
  if TOLD[new] then
    emit(now, 'message.' .. new, id)
  end
  if ENDS_BADLY[new] then
    end_nudge(id)
  end
end

local function set_state(id, old, new, now, sender)
  redis.call('HSET', key('message', id), 'state', new, 'state_at', now)
  index_state(id, old, new, now, nil, sender)
end

-- A timeline with one more line; `more` is a table of plain values or nil.
local function with_line(lines, now, event, more)
  local line
  if more and next(more) then
    more.at = tonumber(now)
    more.event = event
    line = cjson.encode(more)
  else
    line = '{"at":' .. whole(now) .. ',"event":"' .. event .. '"}'
  end
  return lines and (lines .. '\n' .. line) or line
end

local function note(id, now, event, more)
  local message = key('message', id)
  redis.call('HSET', message, 'timeline', with_line(redis.call('HGET', message, 'timeline'), now, event, more))
end

local function words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do
    list[#list + 1] = word
  end
  return list
end
