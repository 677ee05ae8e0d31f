-- Records a template as the provider lists it: its content, and each word by its time.
-- USES templates
-- KEYS  business
-- ARGV  template id, account, since when the list may be old (ms), now, number of the content that we hold ('' for no
--       template), that content (JSON) if the list has another, else '', how many fields follow, field, value, …  (of a
--       new template or a new content), then field, value, rank, … of the provider's words
-- Returns {'imported'}, {'changed'}, {'stopped'} if nothing can be sent with it any more, {'unchanged'}, {'raced'} if
-- it was changed here meanwhile, {'gone'} if it was deleted here since
local id, template, started, now = ARGV[1], key('template', ARGV[1]), tonumber(ARGV[3]), ARGV[4]
local first_word = 8 + 2 * tonumber(ARGV[7])
local held = redis.call('HMGET', template, 'content_version', 'content_at', 'editing')
if (held[1] or '') ~= ARGV[5] then
  return {'raced'}
end
if not held[1] and tonumber(redis.call('HGET', key('template_versions'), 'deleted:' .. id) or '0') >= started then
  return {'gone'}
end

local was_usable, details = held[1] and is_usable(template), {}
local edited_until = tonumber(string.match(held[3] or '', '^%d+') or '0')
local is_newer = started > math.max(tonumber(held[2] or '0'), edited_until)
if not held[1] then
  local version = redis.call('HINCRBY', key('template_versions'), id, 1)
  redis.call('HSET', template, 'content_version', version, 'version', version * 1000000)
  redis.call('SADD', key('templates', ARGV[2]), id)
  details.imported = version
elseif ARGV[6] ~= '' and is_newer then
  details.content_version = replace_content(id, ARGV[6])
  lift_stop(id, started, details)
end
if next(details) then
  for i = 8, first_word - 1, 2 do
    set_field(template, ARGV[i], ARGV[i + 1])
  end
end
-- What is listed is what we have now: WhatsApp's word is about it, unless the word is newer than the list.
if (is_newer or not held[1]) and spoke_at(template) <= started and not is_compared(template) then
  details.whatsapp_version = redis.call('HGET', template, 'content_version')
  redis.call('HSET', template, 'whatsapp_version', details.whatsapp_version)
end
if held[3] and is_newer then
  redis.call('HDEL', template, 'editing')
  details.editing = ''
end
-- The list was made after it was asked for, so a word of that very second may be newer.
for name, value in pairs(tell_template(id, math.floor(started / 1000) - 1, ARGV, first_word, true) or {}) do
  details[name] = value
end
if not next(details) then
  return {'unchanged'}
end
note_template(id, cjson.encode({at = tonumber(now), by = 'whatsapp', event = 'sync', details = details}))
change_template(now, id)
if not held[1] then
  return {'imported'}
end
return {was_usable and not is_usable(template) and 'stopped' or 'changed'}
