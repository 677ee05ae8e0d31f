-- Records news of an account for one of its senders: each topic by its newest word, and what it halts or lifts.
-- USES gates templates consent effects
-- KEYS  business
-- ARGV  now, sender, topic, news (JSON), at (ms), halts (JSON list), lifts what such news halted (1 or ''),
--       effects of an error that is the news (JSON or '')
-- Returns {'recorded'} or {'unchanged'}
local now, sender = ARGV[1], ARGV[2]
if not keep_newer(key('sender', sender), 'news:' .. ARGV[3], ARGV[4], tonumber(ARGV[5])) then
  return {'unchanged'}
end
emit(now, 'sender.changed', '', sender, '', ARGV[4])
if ARGV[7] ~= '' then
  lift(now, sender, 'news')
end
for _, word in ipairs(cjson.decode(ARGV[6])) do
  halt(now, sender, word)
end
if ARGV[8] ~= '' then
  apply_effects(now, sender, '', '', '', ARGV[5], ARGV[8])
end
return {'recorded'}
