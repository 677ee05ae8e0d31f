-- What a decision looks at. Stands on limits.

-- The versions as one word. `contact`: with its name, since two contacts that join have counted on their own.
local function versions_word(contact, of_contact, of_sender, templates)
  local word = contact .. '@' .. (of_contact or '0') .. '.' .. (of_sender or '0')
  for _, template in ipairs(words(templates)) do
    word = word .. '.' .. (redis.call('HGET', key('template', template), 'version') or '0')
  end
  return word
end

-- What changes whenever something does that a decision looks at: contact, sender, then each template.
local function versions_of(sender, name, templates)
  local contact = resolve(name)
  return versions_word(contact, redis.call('HGET', key('contact', contact), 'version'),
    redis.call('HGET', key('sender', sender), 'version'), templates)
end

local function field_of(hash, name)
  for i = 1, #hash, 2 do
    if hash[i] == name then
      return hash[i + 1]
    end
  end
end

-- All that a decision looks at: versions, window, contact, sender, who is meant, limits, then one hash a template.
-- `of_sender`: its hash, where it was read just now for many.
local function facts(sender, name, templates, limits, of_sender)
  local contact = resolve(name)
  local hash = redis.call('HGETALL', key('contact', contact))
  of_sender = of_sender or redis.call('HGETALL', key('sender', sender))
  local answer = {
    versions_word(contact, field_of(hash, 'version'), field_of(of_sender, 'version'), templates),
    redis.call('GET', key('window', sender, contact)) or '',
    hash,
    of_sender,
    contact,
    standing_of(sender, contact, limits),
  }
  for _, template in ipairs(words(templates)) do
    answer[#answer + 1] = redis.call('HGETALL', key('template', template))
  end
  return answer
end
