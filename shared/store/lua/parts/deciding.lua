-- What a decision looks at. Stands on limits.

-- What changes whenever something does that a decision looks at: contact, sender, then each template.
local function versions_of(sender, name, templates)
  local contact = resolve(name)
  local versions = {
    -- With the name: two contacts that join have counted on their own.
    contact .. '@' .. (redis.call('HGET', key('contact', contact), 'version') or '0'),
    redis.call('HGET', key('sender', sender), 'version') or '0',
  }
  for _, template in ipairs(words(templates)) do
    versions[#versions + 1] = redis.call('HGET', key('template', template), 'version') or '0'
  end
  return table.concat(versions, '.')
end

-- All that a decision looks at: versions, window, contact, sender, who is meant, limits, then one hash a template.
local function facts(sender, name, templates, limits)
  local contact = resolve(name)
  local answer = {
    versions_of(sender, contact, templates),
    redis.call('GET', key('window', sender, contact)) or '',
    redis.call('HGETALL', key('contact', contact)),
    redis.call('HGETALL', key('sender', sender)),
    contact,
    standing_of(sender, contact, limits),
  }
  for _, template in ipairs(words(templates)) do
    answer[#answer + 1] = redis.call('HGETALL', key('template', template))
  end
  return answer
end
