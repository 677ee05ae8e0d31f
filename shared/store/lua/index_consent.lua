-- Puts contacts with a word about consent into the index of those: what older versions recorded is not in it.
-- ROWS 1, at most 500 at once
-- KEYS  business
-- ARGV  for each row: contact, as its keys name it
-- Returns for each row {how many came in: 0 or 1}
return each_row(1, function(row)
  for _, field in ipairs(redis.call('HKEYS', key('contact', row[1]))) do
    if string.match(field, '^consent:') or string.match(field, '^preference:') then
      return {redis.call('ZADD', key('consented'), 0, row[1])}
    end
  end
  return {0}
end)
