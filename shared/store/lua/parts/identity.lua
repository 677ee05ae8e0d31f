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
  local told = redis.call('ZSCORE', key('closing', sender), old) or now
  redis.call('ZREM', key('closing', sender), old)
  watch_window(sender, into, told)
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
  move_history(old, into)
  redis.call('HINCRBY', to, 'version', 1)
  local life = math.max(redis.call('PTTL', key('recent', into)), redis.call('PTTL', key('recent', old)))
  redis.call('ZUNIONSTORE', key('recent', into), 2, key('recent', into), key('recent', old), 'AGGREGATE', 'MAX')
  redis.call('ZREMRANGEBYRANK', key('recent', into), 0, -1001)
  if life > 0 then
    redis.call('PEXPIRE', key('recent', into), whole(life))
  end
  redis.call('DEL', from, key('recent', old))
  for _, sender in ipairs(senders) do
    merge_window(sender, old, into, now)
    -- Either may have waited for what the other has written.
    wake_for_window(sender, old, now)
    wake_for_window(sender, into, now)
    if redis.call('HEXISTS', key('claimed', sender), old) == 1 then
      redis.call('HSET', key('joining', sender), into, old)
      place(sender, into, now)
    end
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
      local left = key('contact', other)
      for _, field in ipairs({'address', 'user_id'}) do
        if redis.call('HGET', left, field) == name then
          redis.call('HDEL', left, field, field .. '_at') -- it reaches somebody else now
        end
      end
      redis.call('HINCRBY', left, 'version', 1)
    end
    return
  end
  if not is_same and (home_is_number == other_is_number and other < home or other_is_number and not home_is_number) then
    home, other = other, home
  end
  redis.call('SET', key('alias', other), home .. '|' .. whole(since))
  merge(other, home, now, senders)
end

-- What is newest of a contact: the name to answer to, the id, when it wrote. Of one time the smaller name stands.
-- `opens`: the contact itself wrote; `by_number`: its number was shown; `is_notice`: of a new id.
-- Returns the nudge of `sender` that waits for this contact's answer, if any.
local function remember(contact, event_at, opens, address, id, by_number, is_notice, sender)
  local hash = key('contact', contact)
  local known = redis.call('HMGET', hash, 'last_inbound_at', 'address', 'address_at', 'user_id', 'user_id_at',
    'renumbered_at', 'nudge:' .. sender)
  local fields = {}
  if opens and event_at > tonumber(known[1] or '0') then
    fields = {'last_inbound_at', whole(event_at)}
  end
  local function renew(name, value, old, since)
    since = tonumber(since or '-1')
    if value and (event_at > since or (event_at == since and value < old)) then
      local i = #fields
      fields[i + 1], fields[i + 2], fields[i + 3], fields[i + 4] = name, value, name .. '_at', whole(event_at)
    end
  end
  renew('address', address, known[2], known[3])
  renew('user_id', id, known[4], known[5])
  -- A new id comes with a new number: the old one is nobody's that we know, until the contact writes from it again.
  local is_seen_since = string.byte(known[2] or '-') == 43 and event_at < tonumber(known[3])
  if is_notice and string.byte(contact) == 43 and not is_seen_since then
    fields[#fields + 1], fields[#fields + 2] = 'renumbered_at', whole(event_at)
  elseif opens and by_number and known[6] and event_at > tonumber(known[6]) then
    redis.call('HDEL', hash, 'renumbered_at')
  end
  if #fields > 0 then
    redis.call('HSET', hash, unpack(fields))
  end
  redis.call('HINCRBY', hash, 'version', 1)
  return known[7]
end
