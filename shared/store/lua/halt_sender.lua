-- Halts senders, or pauses them, and lets one go on.
-- USES gates templates consent effects
-- KEYS  business
-- ARGV  now, sender to resume ('' for none), effects (JSON of store/effects.py, '' for none): their halt and pause only
-- Returns 1
local now, sender = ARGV[1], ARGV[2]
if sender ~= '' then
  lift(now, sender)
  -- A hand asks for a try at once.
  redis.call('HDEL', key('sender', sender), 'paused_until')
  if redis.call('HEXISTS', key('sender', sender), 'probe_at') == 1 then
    redis.call('HSET', key('sender', sender), 'probe_at', now)
  end
end
if ARGV[3] ~= '' then
  apply_effects(now, sender, '', '', '', now, ARGV[3])
end
return 1
