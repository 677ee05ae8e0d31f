-- A keyword is heard, and an opt-out is confirmed where that is wanted. Stands on consent, lanes and accepting.

local function is_opted_out(contact, categories)
  for _, category in ipairs(categories) do
    local standing = redis.call('HGET', key('contact', contact), 'consent:' .. category)
    if not standing or cjson.decode(standing).status ~= 'opted_out' then
      return false
    end
  end
  return true
end

local function nothing()
end

-- `confirmation`: a row as accept.lua takes it (JSON), or ''. Returns what writes it once the window is open: only for
-- a word that changes something, and not again for who was opted out already.
local function hear_keyword(now, sender, contact, listed, status, at, record, confirmation)
  if status == '' then
    return nothing
  end
  local categories = words(listed)
  local is_repeated = confirmation ~= '' and is_opted_out(contact, categories)
  local changed = decide_consent(now, sender, contact, categories, status, math.floor(at / 1000), record, 'keyword|')
  if confirmation == '' or is_repeated or changed == 0 then
    return nothing
  end
  return function()
    write(cjson.decode(confirmation), contact)
    place(sender, contact, now)
  end
end
