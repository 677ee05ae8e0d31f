-- Keeps what somebody did by hand; the oldest go first.
-- USES once
-- KEYS  business
-- ARGV  nonce: asked again with the same one, it adds nothing; life of its mark (ms); most entries; then the fields of the
--       entry, each with its value
-- Returns 1, or 0 for a repeat
if not is_first(ARGV[1], ARGV[2]) then
  return 0
end
redis.call('XADD', key('audit'), 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
return 1
