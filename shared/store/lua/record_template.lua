-- Records what a webhook says of a template: each field by its newest word, whatever order the words come in.
-- USES templates
-- KEYS  business
-- ARGV  template id, at (seconds), now, then field, value ('' deletes it), rank of the word (of two words of one second
--       the higher stands), …
-- Returns {'changed'}; {'stopped'} if nothing can be sent with it any more; {'uncompared'} if it is approved and nobody
--         knows whether WhatsApp has the content that we have; {'unchanged'} or {'unknown_template'}
local id, at, template = ARGV[1], tonumber(ARGV[2]), key('template', ARGV[1])
if redis.call('EXISTS', template) == 0 then
  return {'unknown_template'}
end
local was_usable = is_usable(template)
local changes = tell_template(id, at, ARGV, 4)
local is_uncompared = redis.call('HGET', template, 'gate:whatsapp') == 'approved' and not is_compared(template)
if not changes then
  -- A repeat whose first answer was lost asks for the list, too.
  return {is_uncompared and 'uncompared' or 'unchanged'}
end
is_uncompared = is_uncompared and changes['gate:whatsapp']
if is_uncompared then
  changes.content = 'to be compared'
end
note_template(id, cjson.encode({at = tonumber(ARGV[3]), by = 'whatsapp', event = 'webhook', details = changes}))
change_template(ARGV[3], id)
if is_uncompared then
  return {'uncompared'}
end
return {was_usable and not is_usable(template) and 'stopped' or 'changed'}
