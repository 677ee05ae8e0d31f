-- Consent of a contact, by category.

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

-- One decision of a contact for some categories, told to apps when it changes anything; how many it changed.
local function decide_consent(now, sender, contact, categories, status, at_seconds, record)
  local changed = {}
  for _, category in ipairs(categories) do
    if put_consent(contact, category, status, at_seconds, record) == 1 then
      changed[#changed + 1] = category
    end
  end
  if #changed > 0 then
    emit(now, 'consent.changed', '', sender, contact, cjson.encode({status = status, categories = changed}))
  end
  return #changed
end

-- What a contact told WhatsApp about a category ('opted_out' or 'resumed') stands beside the consent that it gave us.
local function put_preference(now, sender, contact, category, status, at)
  local hash = key('contact', contact)
  if not keep_newer(hash, 'preference:' .. category, status, at) then
    return false
  end
  redis.call('HINCRBY', hash, 'version', 1)
  emit(now, 'consent.changed', '', sender, contact, cjson.encode({status = status, categories = {category}}))
  return true
end
