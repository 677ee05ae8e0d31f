-- Records what a contact wrote: once, with its window, its consent keyword, who it is and what it wakes.
-- USES lanes limits indexes accepting consent suppressed confirming windows identity disagreements
-- ROWS 21
-- KEYS  business
-- ARGV  for each row: now, sender, contact, event id, event time, length of a window (ms, 0: this kind opens none),
--       life of the duplicate's mark (ms), inbound (JSON), retention (ms), keyword ('opted_in', 'opted_out' or ''),
--       its record (JSON or ''), its categories (space between), kind, address to answer to, other names of the
--       contact (space between), all senders of the business (space between), is the event time ahead of us (1 or ''),
--       what it takes of the sender's rate (ms, 0: nothing), keyed hashes of the contact's names (space between),
--       of the event (likewise), confirmation of the opt-out (a row of accept.lua as JSON, or '')
-- Returns for each row {'recorded', 1 if the window is now open by it} or {'duplicate', 0}
-- A repeat of what was erased brings nobody back.
local function was_erased(hashes)
  for hash in string.gmatch(hashes, '%S+') do
    if redis.call('ZSCORE', key('forgotten'), hash) then
      return true
    end
  end
  return false
end

local function record(row)
  local now, sender, event, event_at = row[1], row[2], row[4], tonumber(row[5])
  local length, record = tonumber(row[6]), sender .. ':' .. event

  if redis.call('EXISTS', key('seen', record)) == 1 or was_erased(row[20]) then
    count('inbound_duplicates_total:' .. sender)
    return {'duplicate', 0}
  end

  local contact, names = resolve(row[3]), words(row[15])
  for _, name in ipairs(names) do
    link(name, contact, event_at, now, words(row[16]))
    contact = resolve(contact)
  end

  stand_again(contact, row[19])

  -- Marked last: an update that fails half-way is not a duplicate when it comes again.
  local function seen(opened)
    redis.call('SET', key('seen', record), '1', 'PX', row[7])
    count('inbound_messages_total:' .. sender .. ':' .. row[13])
    if row[17] ~= '' then
      count('clock_faults_total:' .. sender)
    end
    return {'recorded', opened}
  end

  if row[18] ~= '0' then
    take_inbound(sender, tonumber(row[18]), tonumber(now))
  end
  redis.call('SET', key('inbound', record), row[8], 'PX', row[9])
  redis.call('ZADD', key('recent', contact), event_at, 'in:' .. record)
  redis.call('ZREMRANGEBYRANK', key('recent', contact), 0, -1001)
  redis.call('PEXPIRE', key('recent', contact), row[9])
  emit(now, 'inbound.received', record, sender, contact)

  local id = names[#names] or (string.byte(row[3]) ~= 43 and row[3] or nil)
  local is_notice = row[13] == 'system' and row[14] == names[#names]
  local nudge = remember(contact, event_at, length > 0, row[14], id, string.byte(row[3]) == 43, is_notice, sender)
  local confirm = hear_keyword(now, sender, contact, row[12], row[10], event_at, row[11], row[21])

  if length == 0 or event_at + length <= tonumber(now) then
    return seen(0)
  end
  local was_closed, opens = open_window(sender, contact, event_at, event, length, now)
  if was_closed then
    count_false_closed(sender, contact, event_at)
  end
  if opens and nudge then
    redis.call('HDEL', key('contact', contact), 'nudge:' .. sender, 'nudge:' .. sender .. '_at') -- it is answered
  end
  -- Also by an answer that opts out: what waited for one is then refused at once.
  wake_for_window(sender, contact, now)
  confirm()
  return seen(1)
end

return each_row(21, record)
