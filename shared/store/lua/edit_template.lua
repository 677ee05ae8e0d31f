-- Gives a template another content, with a number of its own.
-- USES templates
-- KEYS  business
-- ARGV  template id, number of the content that it replaces, that content (JSON), nonce, now, line of its history
--       (JSON), '1' if WhatsApp has it too, field, value, …  ('' deletes a field)
-- Returns {'edited'}, also for a repeat; {'raced'} if another edit was faster; {'missing'}
local template = key('template', ARGV[1])
local found = redis.call('HMGET', template, 'content_version', 'edit_nonce')
if not found[1] then
  return {'missing'}
elseif found[2] == ARGV[4] then
  return {'edited'}
elseif found[1] ~= ARGV[2] then
  return {'raced'}
end
local version = replace_content(ARGV[1], ARGV[3])
redis.call('HSET', template, 'edit_nonce', ARGV[4])
if ARGV[7] == '1' then
  redis.call('HSET', template, 'whatsapp_version', version)
end
for i = 8, #ARGV, 2 do
  set_field(template, ARGV[i], ARGV[i + 1])
end
redis.call('ZREM', key('resting'), ARGV[1])
note_template(ARGV[1], ARGV[6])
change_template(ARGV[5], ARGV[1])
return {'edited'}
