-- Records news of an account for one of its senders: each topic by its newest word.
-- KEYS  business
-- ARGV  now, sender, topic, news (JSON), at (ms)
-- Returns {'recorded'} or {'unchanged'}
if not keep_newer(key('sender', ARGV[2]), 'news:' .. ARGV[3], ARGV[4], tonumber(ARGV[5])) then
  return {'unchanged'}
end
emit(ARGV[1], 'sender.changed', '', ARGV[2], '', ARGV[4])
return {'recorded'}
