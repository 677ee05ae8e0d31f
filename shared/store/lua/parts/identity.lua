-- Names of one person join: number, BSUID, and the number that WhatsApp writes. Stands on lanes, consent and windows.
-- An alias is `contact|since (ms)`: the newest word wins, whatever order the words come in.

-- The newest opening event, and the newest refusal, of two windows.
local function merge_window(sender, old, into, now)
  local last, event, refused = read_window(sender, old)
  if not last then
    return
  end
  local standing, standing_event, standing_refused = read_window(sender, into)
  local newest_refusal = math.max(refused or 0, standing_refused or 0)
  newest_refusal = newest_refusal > 0 and newest_refusal or nil
  if not standing or last > standing then
    redis.call('RENAME', key('window', sender, old), key('window', sender, into))
    write_window(sender, into, last, event, newest_refusal)
  else
    redis.call('DEL', key('window', sender, old))
    write_window(sender, into, standing, standing_event, newest_refusal)
  end
  redis.call('ZREM', key('closing'), sender .. ' ' .. old)
  redis.call('ZADD', key('closing'), 'NX', now, sender .. ' ' .. into)
end

local function merge(old, into, now, senders)
  local from, to = key('contact', old), key('contact', into)
  for _, name in ipairs(redis.call('HKEYS', from)) do
    local value = redis.call('HGET', from, name)
    local category = string.match(name, '^consent:(.*)$')
    if category then
      local record = cjson.decode(value)
      put_consent(into, category, record.status, record.at, value)
    elseif name == 'last_inbound_at' then
      local standing = tonumber(redis.call('HGET', to, name) or '0')
      redis.call('HSET', to, name, whole(math.max(tonumber(value), standing)))
    elseif redis.call('HEXISTS', from, name .. '_at') == 1 then
      keep_newer(to, name, value, tonumber(redis.call('HGET', from, name .. '_at')))
    end
  end
  redis.call('HINCRBY', to, 'version', 1)
  redis.call('ZUNIONSTORE', key('recent', into), 2, key('recent', into), key('recent', old), 'AGGREGATE', 'MAX')
  redis.call('ZREMRANGEBYRANK', key('recent', into), 0, -21)
  redis.call('DEL', from, key('recent', old))
  for _, sender in ipairs(senders) do
    merge_window(sender, old, into, now)
    repeat
      local woken = wake('window:' .. sender .. ':' .. old, now, 100)
    until woken < 100
    place(sender, old, now)
  end
end

-- From `since` on `name` leads to `contact`. What was known under a BSUID joins what is known of the contact; a
-- number is never taken from the person who had it: two numbers are two people, whoever carries the BSUID now, unless
-- the provider itself says that they are one (`is_same`).
local function link(name, contact, since, now, senders, is_same)
  local standing = redis.call('GET', key('alias', name))
  local target, old = resolve(contact), resolve(name)
  if target == old then
    return
  end
  local other, at = string.match(standing or '', '^(.*)|(%d+)$')
  if other and tonumber(at) > tonumber(since) then
    return
  end
  redis.call('SET', key('alias', name), target .. '|' .. whole(since))
  if is_same or string.byte(old) ~= 43 then
    if old ~= name then
      redis.call('SET', key('alias', old), target .. '|' .. whole(since))
    end
    merge(old, target, now, senders)
  end
end
