-- What keeps a whole sender from sending: halts, a pause, and the circuit that opens when the provider is down. All
-- of it stands in the sender's hash:
--   halt:<kind>:<source>  `until|code|scope|since|why`; no until: until it is resumed
--   paused_until          nothing may be asked before it (ms)
--   failures              answers in a row that speak of an outage
--   probe_at, probe       while the circuit is open: when the next message may try, and the one that does
--   away_since, away_code since when, and the last thing that went wrong

local GATES = {'halt:all:hand', 'halt:all:error', 'halt:all:news', 'paused_until', 'probe_at', 'probe', 'tat',
  'promised', 'promised_until', 'version'}
local HALT_KINDS, HALT_SOURCES = {'all', 'template', 'session'}, {'hand', 'error', 'news'}
local FAILURES_TO_OPEN, PROBE_EVERY = 5, 5000

local function gates_of(sender)
  return redis.call('HMGET', key('sender', sender), unpack(GATES))
end

-- From when on anything may leave (ms); nil: not before somebody resumes it.
local function opens_at(gates)
  local from = math.max(tonumber(gates[4] or '0'), tonumber(gates[5] or '0'))
  for i = 1, 3 do
    local ends = gates[i] and string.match(gates[i], '^%d*')
    if ends == '' then
      return nil
    end
    from = math.max(from, tonumber(ends or '0'))
  end
  return from
end

-- How many were promised to claims that have not begun, a moment ago.
local function promised_of(gates, now)
  return tonumber(gates[9] or '0') > now and tonumber(gates[8]) or 0
end

-- How many may go now: as many as the rate of the sender has left, or the one probe.
local function tokens_of(gates, now, interval, tolerance)
  if gates[5] then
    return 1
  end
  local tat = math.max(tonumber(gates[7] or '0'), now)
  return math.floor((now + tolerance - tat) / interval) + 1 - promised_of(gates, now)
end

-- What is claimed begins in a moment, or never: others do not claim for the same part of the rate meanwhile.
local function promise(sender, gates, claims, now)
  redis.call('HSET', key('sender', sender), 'promised', promised_of(gates, now) + claims,
    'promised_until', whole(now + 200))
end

-- A claim that led to no begin used nothing of what it was promised.
local function give_back(sender)
  local promised = tonumber(redis.call('HGET', key('sender', sender), 'promised') or '0')
  redis.call('HSET', key('sender', sender), 'promised', math.max(promised - 1, 0))
end

-- One more halt. The same error met by many at once is one halt, and the later end stands.
local function halt(now, sender, word)
  local hash, field = key('sender', sender), 'halt:' .. word.kind .. ':' .. word.source
  local ends = word['until'] and whole(word['until']) or ''
  local standing = redis.call('HGET', hash, field)
  local old_end, old_code, since = string.match(standing or '', '^(%d*)|([^|]*)|[^|]*|(%d+)|')
  local stands = old_code == word.code and (old_end == '' or tonumber(old_end) > tonumber(now))
  local is_no_later = old_end == '' or ends ~= '' and tonumber(ends) <= tonumber(old_end or '0')
  if stands and word.source ~= 'hand' and is_no_later then
    return
  end
  redis.call('HSET', hash, field, table.concat({ends, word.code, word.scope, stands and since or now, word.why}, '|'))
  redis.call('HINCRBY', hash, 'version', 1)
  if not stands or word.source == 'hand' then
    emit(now, 'sender.halted', '', sender, '', cjson.encode({kind = word.kind, by = word.source, code = word.code,
      scope = word.scope, why = word.why, until_at = word['until']}))
  end
end

-- What was halted for one kind waits aside, for its sender.
local function tell_resumed(now, sender, fields)
  if #fields == 0 or redis.call('HDEL', key('sender', sender), unpack(fields)) == 0 then
    return false
  end
  redis.call('HINCRBY', key('sender', sender), 'version', 1)
  redis.call('HSET', key('waking'), 'sender:' .. sender, '0')
  emit(now, 'sender.resumed', '', sender, '')
  return true
end

-- Lifts the halts of one source; nil: of all, as a hand does.
local function lift(now, sender, source)
  local fields = {}
  for _, kind in ipairs(HALT_KINDS) do
    for _, by in ipairs(HALT_SOURCES) do
      if not source or by == source then
        fields[#fields + 1] = 'halt:' .. kind .. ':' .. by
      end
    end
  end
  return tell_resumed(now, sender, fields)
end

-- Lifts the halts whose end has come.
local function end_halts(now, sender)
  local names, over = {}, {}
  for _, kind in ipairs(HALT_KINDS) do
    for _, by in ipairs(HALT_SOURCES) do
      names[#names + 1] = 'halt:' .. kind .. ':' .. by
    end
  end
  for i, standing in ipairs(redis.call('HMGET', key('sender', sender), unpack(names))) do
    local ends = standing and string.match(standing, '^(%d+)|')
    if ends and tonumber(ends) <= tonumber(now) then
      over[#over + 1] = names[i]
    end
  end
  tell_resumed(now, sender, over)
end

-- Nothing is asked for this sender before then; the later time stands.
local function pause_sender(sender, until_ms)
  local hash = key('sender', sender)
  if until_ms > tonumber(redis.call('HGET', hash, 'paused_until') or '0') then
    redis.call('HSET', hash, 'paused_until', whole(until_ms))
  end
end

-- The one message that tries while the circuit is open, and from when on the next one may.
local function note_probe(sender, gates, id, now)
  if gates[5] then
    redis.call('HSET', key('sender', sender), 'probe', id, 'probe_at', whole(now + PROBE_EVERY))
  end
end

local function close_circuit(now, sender)
  local hash = key('sender', sender)
  local was_open = redis.call('HEXISTS', hash, 'probe_at') == 1
  redis.call('HDEL', hash, 'failures', 'probe_at', 'probe', 'away_since', 'away_code')
  if was_open then
    emit(now, 'sender.changed', '', sender, '', '{"circuit":"closed"}')
  end
  return was_open and 'closed' or ''
end

-- What an answer says of the provider. `word`: 'up'; 'idle', a try that asked nothing; 'down:<ms to the next>:<code>'.
-- Returns 'opened' or 'closed' when it has just changed.
local function note_answer(now, sender, word)
  local hash = key('sender', sender)
  if word == 'up' then
    return close_circuit(now, sender)
  elseif word == 'idle' then
    if redis.call('HEXISTS', hash, 'probe_at') == 1 then
      redis.call('HSET', hash, 'probe_at', now)
    end
    return ''
  end
  local wait, code = string.match(word, '^down:(%d+):(.*)$')
  if redis.call('HINCRBY', hash, 'failures', 1) < FAILURES_TO_OPEN then
    return ''
  end
  redis.call('HSET', hash, 'probe_at', whole(now + wait), 'away_code', code)
  if redis.call('HSETNX', hash, 'away_since', now) == 0 then
    return ''
  end
  emit(now, 'sender.changed', '', sender, '', cjson.encode({circuit = 'open', code = code}))
  return 'opened'
end
