-- Removes messages of somebody who is erased.
-- USES lanes limits gates erasing
-- ROWS 3
-- KEYS  business
-- ARGV  for each row: now, id, names of the person (space between)
-- Returns for each row {'cancelled'} if it had not left, {'erased'}, or {'missing'}
return each_row(3, function(row)
  local state = erase_message(row[2], row[1], words(row[3]))
  return {not state and 'missing' or WAITING[state] and 'cancelled' or 'erased'}
end)
