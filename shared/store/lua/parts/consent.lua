-- Consent of a contact, by category: what stands, and every word about it in the order of event times.

-- One consent record (JSON in `record`) for one category; newer wins, on a tie of seconds an opt-out wins, and of two
-- that say the same the smaller, so that their order is nothing.
local function put_consent(contact, category, status, at_seconds, record)
  local hash = key('contact', contact)
  local standing = redis.call('HGET', hash, 'consent:' .. category)
  if standing then
    local old = cjson.decode(standing)
    local wins_tie = status == old.status and record < standing or status ~= old.status and status == 'opted_out'
    if at_seconds < old.at or (at_seconds == old.at and not wins_tie) then
      return 0
    end
  end
  redis.call('HSET', hash, 'consent:' .. category, record)
  redis.call('HINCRBY', hash, 'version', 1)
  return 1
end

-- Keeps a word in the history of a contact, the latest 200: `word`, a line break, when it was recorded, `|` and the
-- categories that it changed; none: something newer stood. What is said again is kept once. A list, because a sorted
-- set of one long member takes a kilobyte.
-- `word`: by whom, app, sender and categories, each with a `|` behind it, then the record (JSON).
-- Returns how many categories it changed; of a repeated call, how many it had.
local function keep_word(now, contact, word, changed)
  local history = key('consent_history', contact)
  for _, line in ipairs(redis.call('LRANGE', history, 0, -1)) do
    if string.sub(line, 1, #word + 1) == word .. '\n' then
      local recorded_at, had = string.match(line, '\n(%d+)|(.*)$')
      return recorded_at == now and #words(had) or #changed
    end
  end
  redis.call('RPUSH', history, word .. '\n' .. now .. '|' .. table.concat(changed, ' '))
  redis.call('LTRIM', history, -200, -1)
  redis.call('ZADD', key('consented'), 0, contact)
  return #changed
end

-- One decision of a contact for some categories, told to apps when it changes anything; how many it changed.
-- `by`: by whom, and the app, `|` between.
local function decide_consent(now, sender, contact, categories, status, at_seconds, record, by)
  local changed = {}
  for _, category in ipairs(categories) do
    if put_consent(contact, category, status, at_seconds, record) == 1 then
      changed[#changed + 1] = category
    end
  end
  if #changed > 0 then
    emit(now, 'consent.changed', '', sender, contact, cjson.encode({status = status, categories = changed}))
  end
  local word = by .. '|' .. sender .. '|' .. table.concat(categories, ' ') .. '|' .. record
  return keep_word(now, contact, word, changed)
end

-- What a contact told WhatsApp about a category ('opted_out' or 'resumed') stands beside the consent that it gave us.
-- `by`: who told us; `evidence`: a message, or ''.
local function put_preference(now, sender, contact, category, status, at, by, evidence)
  local hash, at_seconds = key('contact', contact), math.floor(at / 1000)
  local is_newer = keep_newer(hash, 'preference:' .. category, status, at_seconds * 1000)
  if is_newer then
    redis.call('HINCRBY', hash, 'version', 1)
    emit(now, 'consent.changed', '', sender, contact, cjson.encode({status = status, categories = {category}}))
  end
  local shown = evidence == '' and 'null' or '"' .. evidence .. '"'
  local record = '{"status":"' .. status .. '","at":' .. whole(at_seconds) .. ',"source":"' .. by .. '","evidence":' ..
    shown .. '}'
  local word = by .. '||' .. sender .. '|' .. category .. '|' .. record
  keep_word(now, contact, word, {is_newer and category or nil})
  return is_newer
end

-- What was said under a name that is now another, in the order in which it was heard.
local function move_history(old, into)
  local from, to = key('consent_history', old), key('consent_history', into)
  if redis.call('ZREM', key('consented'), old) == 0 then
    return
  end
  redis.call('ZADD', key('consented'), 0, into)
  local lines = redis.call('LRANGE', to, 0, -1)
  for _, line in ipairs(redis.call('LRANGE', from, 0, -1)) do
    lines[#lines + 1] = line
  end
  local function heard_at(line)
    return tonumber(string.match(line, '\n(%d+)|[^\n]*$'))
  end
  table.sort(lines, function(one, other)
    return heard_at(one) < heard_at(other)
  end)
  redis.call('DEL', from, to)
  for i = math.max(1, #lines - 199), #lines do
    redis.call('RPUSH', to, lines[i])
  end
end
