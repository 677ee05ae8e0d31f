-- Tells of messages that nothing was heard of in time; each is told once, and one that was heard of is not.
-- ROWS 2
-- KEYS  business
-- ARGV  for each row: now, id
-- Returns for each row {'told'} or {'unchanged'}
local SILENT = {submitted = true, sent = true}

local function tell(row)
  local now, id = row[1], row[2]
  local found = redis.call('HMGET', key('message', id), 'state', 'attempts', 'undelivered')
  if not SILENT[found[1]] or found[3] == found[2] then
    return {'unchanged'}
  end
  redis.call('HSET', key('message', id), 'undelivered', found[2])
  note(id, now, 'undelivered')
  emit(now, 'message.undelivered', id)
  return {'told'}
end

return each_row(2, tell)
