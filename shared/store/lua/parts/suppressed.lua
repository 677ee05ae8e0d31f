-- Opt-outs of people who were erased stand again as soon as one of their names comes back. Stands on consent.
-- `suppressed` keeps under the keyed hash of each name: `consent:category=at preference:category=at` (whole seconds).

-- `hashes`: of the names of this contact, space between. What it decided since is newer and stands.
local function stand_again(contact, hashes)
  for hash in string.gmatch(hashes, '%S+') do
    local kept = redis.call('HGET', key('suppressed'), hash)
    for kind, category, at in string.gmatch(kept or '', '(%l+):(%l+)=(%d+)') do
      local changed
      if kind == 'preference' then
        changed = keep_newer(key('contact', contact), 'preference:' .. category, 'opted_out', at * 1000)
      else
        local record = '{"status":"opted_out","at":' .. at .. ',"source":"erased_opt_out","evidence":null}'
        changed = put_consent(contact, category, 'opted_out', tonumber(at), record) == 1
      end
      if changed then
        redis.call('HINCRBY', key('contact', contact), 'version', 1)
        redis.call('ZADD', key('consented'), 0, contact)
      end
    end
  end
end

local function parse(kept)
  local found = {}
  for what, at in string.gmatch(kept or '', '(%S+)=(%d+)') do
    found[what] = tonumber(at)
  end
  return found
end

-- The newest decisions of a person, whichever name they stand under: what → {at (whole seconds), is it an opt-out}.
local function decisions_of(names)
  local newest = {}
  local function note_decision(what, at, is_out)
    if not newest[what] or at > newest[what][1] or (at == newest[what][1] and is_out) then
      newest[what] = {at, is_out}
    end
  end
  for _, name in ipairs(names) do
    local hash = key('contact', name)
    for _, field in ipairs(redis.call('HKEYS', hash)) do
      local kind = string.match(field, '^(%l+):%l+$')
      if kind == 'consent' then
        local record = cjson.decode(redis.call('HGET', hash, field))
        note_decision(field, record.at, record.status == 'opted_out')
      elseif kind == 'preference' then
        local at = math.floor(redis.call('HGET', hash, field .. '_at') / 1000)
        note_decision(field, at, redis.call('HGET', hash, field) == 'opted_out')
      end
    end
  end
  return newest
end

-- Before a person is erased: what they opted out of stays, unless they have changed their mind. Safe to repeat when the
-- person is gone already. `hashes`: of the names. Returns whether anything stays.
local function keep_opt_outs(names, hashes)
  local newest, stays = decisions_of(names), false
  for _, hash in ipairs(hashes) do
    local kept, lines = parse(redis.call('HGET', key('suppressed'), hash)), {}
    for what, decision in pairs(newest) do
      if decision[1] >= (kept[what] or 0) then
        kept[what] = decision[2] and decision[1] or nil
      end
    end
    for what, at in pairs(kept) do
      lines[#lines + 1] = what .. '=' .. whole(at)
    end
    if #lines > 0 then
      redis.call('HSET', key('suppressed'), hash, table.concat(lines, ' '))
      stays = true
    else
      redis.call('HDEL', key('suppressed'), hash)
    end
  end
  return stays
end
