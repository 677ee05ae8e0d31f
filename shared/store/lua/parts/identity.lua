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

-- `name` and `contact` are one person: what was known of either is known of both, under the number if there is one.
-- But two numbers are two people, whoever carries an id now: then the id leads to the one that was shown with it last,
-- and nothing else moves; unless the provider itself says that the numbers are one person's (`is_same`).
local function link(name, contact, since, now, senders, is_same)
  local home, other = resolve(contact), resolve(name)
  if home == other then
    return
  end
  local home_is_number, other_is_number = string.byte(home) == 43, string.byte(other) == 43
  if home_is_number and other_is_number and not is_same then
    local at = string.match(redis.call('GET', key('alias', name)) or '', '|(%d+)$')
    if not at or tonumber(at) <= tonumber(since) then
      redis.call('SET', key('alias', name), home .. '|' .. whole(since))
    end
    return
  end
  if not is_same and (home_is_number == other_is_number and other < home or other_is_number and not home_is_number) then
    home, other = other, home
  end
  redis.call('SET', key('alias', other), home .. '|' .. whole(since))
  merge(other, home, now, senders)
end
