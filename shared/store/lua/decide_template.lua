-- A hand decides at a gate, about the content that it has seen.
-- USES templates
-- KEYS  business
-- ARGV  template id, number of that content ('' if nobody says), gate, decision, reason ('' for none), now ('' if nobody
--       says), line of its history (JSON or '')
-- Returns {'decided'}; {'raced'} if it was edited since; {'missing'}
local template = key('template', ARGV[1])
local version = redis.call('HGET', template, 'content_version')
if not version then
  return {'missing'}
elseif ARGV[2] ~= '' and ARGV[2] ~= version then
  return {'raced'}
end
redis.call('HSET', template, 'gate:' .. ARGV[3], ARGV[4])
set_field(template, 'reason:' .. ARGV[3], ARGV[5])
redis.call('HDEL', template, 'draft')
if ARGV[3] == 'whatsapp' then
  redis.call('HSET', template, 'whatsapp_version', version)
end
note_template(ARGV[1], ARGV[7])
change_template(ARGV[6], ARGV[1])
return {'decided'}
