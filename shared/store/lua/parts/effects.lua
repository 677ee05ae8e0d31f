-- What a provider's error does to others than the message that met it: senders pause or halt, a template stops, a contact
-- is capped or opted out. Safe to repeat, and the same whether the error came at once, late, or both. Stands on gates,
-- templates and consent.

-- The template that an attempt was sent with stops, unless the provider has spoken of it since `at` (ms).
local function stop_template(now, id, attempt, at, stop)
  local described = redis.call('HGET', key('message', id), 'attempt:' .. attempt)
  local route = described and cjson.decode(described).route
  local name, language = string.match(type(route) == 'table' and route.template or '', '^(.-)/(.*)$')
  if not name then
    return
  end
  local id_of_it = stop.account .. ':' .. name .. ':' .. language
  local template = key('template', id_of_it)
  local known = redis.call('HMGET', template, 'version', 'told:stopped', 'error_stop')
  local told_at = string.match(known[2] or '', '^%d+')
  if not known[1] or (told_at and tonumber(told_at) * 1000 >= tonumber(at)) then
    return
  end
  local ends = stop['until'] and whole(stop['until']) or ''
  local value = stop.status .. '|' .. stop.code .. '|'
  if known[3] and string.sub(known[3], 1, #value) == value and ends == '' then
    return
  end
  redis.call('HSET', template, 'error_stop', value .. whole(at) .. '|' .. ends)
  if ends ~= '' then
    redis.call('ZADD', key('resting'), ends, id_of_it)
  end
  local details = {stopped = stop.status, code = stop.code, ['until'] = stop['until']}
  note_template(id_of_it, cjson.encode({at = tonumber(now), by = 'finestra', event = 'error', details = details}))
  change_template(now, id_of_it)
end

-- A contact that takes no templates of some categories for a while: `until|1 if its own writing ends it|code`. Some errors
-- count only when several messages met them, each once, without a word of the contact in between.
local function cap_contact(now, contact, attempt, cap)
  local hash = key('contact', contact)
  local written_at = tonumber(redis.call('HGET', hash, 'last_inbound_at') or '0')
  if cap.hits > 1 then
    local field = 'cap_hits:' .. cap.code
    local hits, last, since = string.match(redis.call('HGET', hash, field) or '', '^(%d+)|([^|]*)|(%d+)$')
    if last == attempt then
      return
    elseif not hits or written_at > tonumber(since) then
      hits = 0
    end
    redis.call('HSET', hash, field, hits + 1 .. '|' .. attempt .. '|' .. now)
    if hits + 1 < cap.hits then
      return
    end
  end
  local value = whole(cap['until']) .. '|' .. cap.ends .. '|' .. cap.code
  for _, category in ipairs(cap.categories) do
    local field = 'cap:' .. category
    local standing = redis.call('HMGET', hash, field, field .. '_at')
    local ends, is_endable = string.match(standing[1] or '0|0', '^(%d+)|(%d)')
    local is_over = is_endable == '1' and written_at > tonumber(standing[2])
    if is_over or cap['until'] > tonumber(ends) then
      redis.call('HSET', hash, field, value, field .. '_at', now)
    end
  end
  redis.call('HINCRBY', hash, 'version', 1)
end

-- `text`: JSON of store/effects.py; `senders` in it are those of this business that the error speaks of. `at`: when the
-- provider said so (ms).
local function apply_effects(now, sender, contact, id, attempt, at, text)
  local effects = cjson.decode(text)
  if effects.pause and effects.scope == 'pair' then
    local paused = key('paused', sender)
    if effects.pause > tonumber(redis.call('HGET', paused, contact) or '0') then
      redis.call('HSET', paused, contact, whole(effects.pause))
    end
  end
  for _, other in ipairs(effects.senders) do
    if effects.pause and effects.scope ~= 'pair' then
      pause_sender(other, effects.pause)
    end
    if effects.halt then
      halt(now, other, effects.halt)
    end
  end
  if effects.stop then
    stop_template(now, id, attempt, at, effects.stop)
  end
  if effects.unwanted then
    put_preference(now, sender, resolve(contact), effects.unwanted, 'opted_out', tonumber(at), 'provider_error', id)
  end
  if effects.cap then
    cap_contact(now, resolve(contact), id .. ':' .. attempt, effects.cap)
  end
end
