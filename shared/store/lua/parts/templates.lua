-- What all changes of a template have in common: its history, who is told, and the words of the provider by their time.

-- One line more of what happened to it, the newest first; the latest 200 stay.
local function note_template(id, line)
  if line ~= '' then
    redis.call('LPUSH', key('template_history', id), line)
    redis.call('LTRIM', key('template_history', id), 0, 199)
  end
end

-- Whatever was decided on the template as it was is decided again, and what waits for it is looked at.
local function change_template(now, id)
  redis.call('HINCRBY', key('template', id), 'version', 1)
  redis.call('HSET', key('waking'), 'template:' .. id, '0')
  emit(now, 'template.changed', id)
end

local function set_field(template, field, value)
  if value == '' then
    redis.call('HDEL', template, field)
  else
    redis.call('HSET', template, field, value)
  end
end

-- Whether WhatsApp is known to have the content that we have: else its approval may be about another.
local function is_compared(template)
  local found = redis.call('HMGET', template, 'whatsapp_version', 'content_version')
  return found[1] == found[2]
end

-- When WhatsApp last spoke of its approval or its content (ms).
local function spoke_at(template)
  local latest = 0
  for _, told in ipairs(redis.call('HMGET', template, 'told:gate:whatsapp', 'told:content_changed')) do
    latest = math.max(latest, tonumber(string.match(told or '', '^%d+') or '0') * 1000)
  end
  return latest
end

local function is_usable(template)
  local found = redis.call('HMGET', template, 'gate:provider', 'gate:whatsapp', 'stopped', 'error_stop', 'editing')
  local is_approved = found[1] == 'approved' and found[2] == 'approved' and is_compared(template)
  return is_approved and not (found[3] or found[4] or found[5])
end

-- What an error stopped before `at` (ms) goes on.
local function lift_stop(id, at, changes)
  local template = key('template', id)
  local stopped_at = string.match(redis.call('HGET', template, 'error_stop') or '', '^[^|]*|[^|]*|(%d+)|')
  if stopped_at and at >= tonumber(stopped_at) then
    redis.call('HDEL', template, 'error_stop')
    redis.call('ZREM', key('resting'), id)
    changes.error_stop = ''
  end
end

-- Words of the provider from row[first] on, each field, value, rank: the newest stands, of one second the higher rank.
-- What it says of the status since an error stopped it stands instead; a list that says what it said before says nothing
-- new, an event does. Returns what is another now, or nil.
local function tell_template(id, at, row, first, is_list)
  local template, changes = key('template', id), {}
  for i = first, #row, 3 do
    local field, value, rank = row[i], row[i + 1], tonumber(row[i + 2])
    local since, standing = string.match(redis.call('HGET', template, 'told:' .. field) or '-1|0', '^(-?%d+)|(%d+)$')
    if at > tonumber(since) or (at == tonumber(since) and rank > tonumber(standing)) then
      redis.call('HSET', template, 'told:' .. field, whole(at) .. '|' .. rank)
      if field == 'stopped' and not is_list then
        lift_stop(id, at * 1000, changes)
      elseif field == 'content_changed' and redis.call('HDEL', template, 'whatsapp_version') == 1 then
        changes.content = 'to be compared'
      end
      if (redis.call('HGET', template, field) or '') ~= value then
        set_field(template, field, value)
        changes[field] = value
        if field == 'stopped' or field == 'gate:whatsapp' then
          lift_stop(id, at * 1000, changes)
        end
        if field == 'category' then
          count('templates_relabelled_total:' .. value)
        end
      end
    end
  end
  return next(changes) and changes or nil
end

-- Another content under a number of its own; the old one stays readable. `old` is its JSON.
local function replace_content(id, old)
  local template, contents = key('template', id), key('template_contents', id)
  redis.call('HSET', contents, redis.call('HGET', template, 'content_version'), old)
  local version = redis.call('HINCRBY', key('template_versions'), id, 1)
  redis.call('HSET', template, 'content_version', version)
  return version
end

-- What an error stopped goes on: by hand, by its time.
local function resume_template(now, id, line)
  if redis.call('HDEL', key('template', id), 'error_stop') == 0 then
    return false
  end
  redis.call('ZREM', key('resting'), id)
  note_template(id, line)
  change_template(now, id)
  return true
end
