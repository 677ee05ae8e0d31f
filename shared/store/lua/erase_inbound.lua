-- Removes what somebody wrote who is erased. Its mark goes too, since the provider's id may hold the number; a keyed
-- hash stands in for it, so that a repeat of the webhook brings nobody back.
-- ROWS 4
-- KEYS  business
-- ARGV  for each row: now, what it is kept under (sender:event), names of the person (space between), keyed hash of the event
-- Returns for each row {'erased'} or {'missing'}
return each_row(4, function(row)
  local ref = row[2]
  local left = redis.call('PTTL', key('seen', ref))
  if left > 0 then
    redis.call('ZADD', key('forgotten'), whole(row[1] + left), row[4])
  end
  for _, name in ipairs(words(row[3])) do
    redis.call('ZREM', key('recent', name), 'in:' .. ref)
  end
  local gone = redis.call('DEL', key('inbound', ref)) + redis.call('DEL', key('seen', ref))
  return {gone > 0 and 'erased' or 'missing'}
end)
