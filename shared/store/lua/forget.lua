-- Forgets contacts who have said nothing about consent and nothing at all for longer than the retention, and names
-- that lead to nobody any more. Looks once more itself: whoever has come since stays.
-- ROWS 4
-- KEYS  business
-- ARGV  for each row: 'contact' or 'alias', name, time (ms) before which it is silent, all senders of the business
-- Returns for each row {'forgotten'}, {'consent'} or {'kept'}, with the time of the last sign of life (ms, 0: none)
local function is_busy(name, senders)
  if redis.call('EXISTS', key('recent', name)) == 1 then
    return true
  end
  for _, sender in ipairs(senders) do
    local held = key('held', 'window:' .. sender .. ':' .. name)
    if redis.call('EXISTS', key('lane', sender, name), key('window', sender, name), held) > 0 then
      return true
    end
  end
  return false
end

-- Of the fields of a contact: whether there is a word about consent, and the latest of its times.
local function signs_of(fields)
  local has_consent, latest = false, 0
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if string.match(name, '^consent:') or string.match(name, '^preference:') then
      has_consent = true
    end
    local time = string.match(name, '_at$') and value or string.match(name, '^cap:') and string.match(value, '^%d+')
    latest = math.max(latest, tonumber(time or '0'))
  end
  return has_consent, latest
end

local function forget_contact(name, before, senders)
  local has_consent, latest = signs_of(redis.call('HGETALL', key('contact', name)))
  if has_consent or redis.call('EXISTS', key('consent_history', name)) == 1 then
    return {'consent', whole(latest)}
  end
  if latest >= before or is_busy(name, senders) then
    return {'kept', whole(latest)}
  end
  redis.call('DEL', key('contact', name))
  return {'forgotten', whole(latest)}
end

local function forget_alias(name, before, senders)
  local since = tonumber(string.match(redis.call('GET', key('alias', name)) or '', '|(%d+)$') or '0')
  local contact = resolve(name)
  if since >= before or redis.call('EXISTS', key('contact', contact)) == 1 or is_busy(contact, senders) then
    return {'kept', whole(since)}
  end
  redis.call('DEL', key('alias', name))
  return {'forgotten', whole(since)}
end

return each_row(4, function(row)
  local forget = row[1] == 'alias' and forget_alias or forget_contact
  return forget(row[2], tonumber(row[3]), words(row[4]))
end)
