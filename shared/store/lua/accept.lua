-- Accepts one message: written, placed in its lane, and the sender's bell claimed, in one step.
-- USES lanes deciding
-- KEYS  business
-- ARGV  now, id, sender, contact, priority, expires_at, request (JSON), app, reference, in_doubt,
--       templates (ids, space between), variables (one word a template: names joined by ','; '-' for none),
--       idempotency key or '', fingerprint of the body, its life in ms, retention in ms, bell's life in ms
-- Returns {'accepted', id, accepted_at, ring, facts}, also for a repeat; {'reused'}; {'mismatch', template, its variables}
local now, id, sender, contact, priority = ARGV[1], ARGV[2], ARGV[3], resolve(ARGV[4]), ARGV[5]
local expires_at, app, templates = ARGV[6], ARGV[8], ARGV[11]
local idempotency = ARGV[13] ~= '' and key('idem', app, sender, ARGV[13]) or nil

if idempotency then
  local stored = redis.call('GET', idempotency)
  if stored then
    local old = cjson.decode(stored)
    if old.fingerprint ~= ARGV[14] then
      return {'reused'}
    end
    return {'accepted', old.id, old.at, 0, cjson.decode(old.facts)}
  end
end

local message = key('message', id)
if redis.call('EXISTS', message) == 1 then
  return {'accepted', id, redis.call('HGET', message, 'accepted_at'), 0, facts(sender, contact, templates)}
end

local expected = words(ARGV[12])
for i, template in ipairs(words(templates)) do
  local variables = redis.call('HGET', key('template', template), 'variables')
  if variables and variables ~= expected[i] then
    return {'mismatch', template, variables}
  end
end

local order = redis.call('HINCRBY', KEYS[1], 'order', 1)
local score = whole(tonumber(priority) * 4398046511104 + order)
redis.call('HSET', message, 'request', ARGV[7], 'app', app, 'sender', sender, 'contact', contact,
  'priority', priority, 'score', score, 'expires_at', expires_at, 'accepted_at', now, 'reference', ARGV[9],
  'in_doubt', ARGV[10], 'templates', templates, 'fence', 0, 'claims', 0, 'attempts', 0, 'not_before', 0)
redis.call('PEXPIREAT', message, whole(expires_at + ARGV[16]))
set_state(id, nil, 'queued', now)
note(id, now, 'accepted')
emit(now, 'message.accepted', id)
redis.call('ZADD', key('lane', sender, contact), score, id)
redis.call('ZADD', key('expiring'), expires_at, id)
redis.call('ZADD', key('recent', contact), now, id)
redis.call('ZREMRANGEBYRANK', key('recent', contact), 0, -21)
redis.call('PEXPIRE', key('recent', contact), ARGV[16])
place(sender, contact, now)

local known = facts(sender, contact, templates)
if idempotency then
  local answer = cjson.encode({id = id, at = now, fingerprint = ARGV[14], facts = cjson.encode(known)})
  redis.call('SET', idempotency, answer, 'PX', ARGV[15])
end
local ring = redis.call('SET', key('bell', sender), '1', 'NX', 'PX', ARGV[17]) and 1 or 0
return {'accepted', id, now, ring, known}
