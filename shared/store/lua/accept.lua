-- Accepts messages: each written, placed in its lane, and the sender's bell claimed, in one step.
-- USES lanes limits deciding indexes accepting consent suppressed
-- ROWS 21, at most 150 at once
-- KEYS  business
-- ARGV  for each row: now, id, sender, contact, priority, expires_at, request (JSON), app, reference, in_doubt,
--       templates (ids, space between), how they were seen (a word each: version and '+' if the request fits, or '-'),
--       idempotency key or '', fingerprint of the body, its life in ms, retention in ms, bell's life in ms,
--       whether the facts are wanted (1 or 0), what is watched (parts/limits.lua), the app's largest backlog,
--       keyed hashes of the contact (space between)
-- Returns for each row {'accepted', id, accepted_at, ring, facts or {}}, also for a repeat; {'reused'};
--       {'mismatch', template}; {'unseen', template, its hash}: to be held against it and offered again; {'full'}
local function stored_answer(row, idempotency)
  local stored = idempotency and redis.call('GET', idempotency)
  if not stored then
    return nil
  end
  local old = cjson.decode(stored)
  if old.fingerprint ~= row[14] then
    return {'reused'}
  end
  local known = old.facts and cjson.decode(old.facts) or facts(row[3], row[4], row[11], read_limits(row[19]))
  return {'accepted', old.id, old.at, 0, row[18] == '1' and known or {}}
end

local function refusal(row)
  local seen = words(row[12])
  for i, template in ipairs(words(row[11])) do
    local version = redis.call('HGET', key('template', template), 'content_version')
    if version and seen[i] == version .. '-' then
      return {'mismatch', template}
    elseif version and seen[i] ~= version .. '+' then
      return {'unseen', template, redis.call('HGETALL', key('template', template))}
    end
  end
  if tonumber(redis.call('HGET', key('backlog'), row[8]) or '0') >= tonumber(row[20]) then
    return {'full'}
  end
end

local function accept(row)
  local now, id, sender, contact = row[1], row[2], row[3], resolve(row[4])
  local is_wanted = row[18] == '1'
  local idempotency = row[13] ~= '' and key('idem', row[8], sender, row[13]) or nil
  local answer = stored_answer(row, idempotency)
  if answer then
    return answer
  end
  local accepted_at = redis.call('HGET', key('message', id), 'accepted_at')
  if accepted_at then
    return {'accepted', id, accepted_at, 0, is_wanted and facts(sender, contact, row[11], read_limits(row[19])) or {}}
  end
  answer = refusal(row)
  if answer then
    return answer
  end
  stand_again(contact, row[21])
  write(row, contact)
  tally('messages_accepted_total:' .. sender .. ':' .. row[8])
  place(sender, contact, now)
  local known = is_wanted and facts(sender, contact, row[11], read_limits(row[19])) or {}
  if idempotency then
    local kept = {id = id, at = now, fingerprint = row[14], facts = is_wanted and cjson.encode(known) or nil}
    redis.call('SET', idempotency, cjson.encode(kept), 'PX', row[15])
  end
  return {'accepted', id, now, redis.call('SET', key('bell', sender), '1', 'NX', 'PX', row[17]) and 1 or 0, known}
end

return each_row(21, accept)
