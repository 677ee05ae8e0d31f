-- Sends one template to a contact whose window is closed, so that it answers, for content that waits for the answer; or
-- joins the one that was sent for other content. One nudge for a contact, however many wait.
-- USES lanes limits deciding indexes accepting
-- KEYS  business
-- ARGV  id of the content, versions that it was decided on, then the nudge as a row of accept.lua; its app is the
--       content's
-- Returns {'nudged', versions of what the content is decided on, id of the nudge}, also for a repeat;
--       {'failed', versions}: the content's nudge came to nothing, and no other is alive; {'changed'}: decide anew
local content, row = ARGV[1], {unpack(ARGV, 3)}
local now, id, sender, contact, expires_at = row[1], row[2], row[3], resolve(row[4]), row[6]
local hash, name = key('contact', contact), 'nudge:' .. sender
local waiting = redis.call('HMGET', key('message', content), 'app', 'nudge_failed')
local standing = redis.call('HMGET', hash, name, name .. '_at')
local is_alive = standing[1] and tonumber(standing[2]) > tonumber(now)

if not waiting[1] then
  return {'changed'} -- the content was erased
end
-- A repeat finds its own nudge, and the versions that it made.
if standing[1] ~= id and versions_of(sender, contact, row[11]) ~= ARGV[2] then
  return {'changed'}
end
if not is_alive and waiting[2] then
  return {'failed', versions_of(sender, contact, row[11])}
end
if is_alive then
  id = standing[1]
else
  row[8] = waiting[1]
  write(row, contact)
  redis.call('HSET', key('message', id), 'nudge_for', content)
  redis.call('HINCRBY', hash, 'version', 1)
end
if not is_alive or tonumber(expires_at) > tonumber(standing[2]) then
  redis.call('HSET', hash, name, id, name .. '_at', expires_at)
end
redis.call('HDEL', key('message', content), 'nudge_failed')
redis.call('HSET', key('message', content), 'nudged_by', id)
place(sender, contact, now)
return {'nudged', versions_of(sender, contact, row[11]), id}
