-- An edit at the provider begins: until it has ended nothing is sent with the template, and no other edit of it begins.
-- USES templates
-- KEYS  business
-- ARGV  template id, number of the content that it is to replace, until when it may be under way (ms), nonce, now
-- Returns {'edited'}, also for a repeat; {'raced'} if another was faster or is under way; {'missing'}
local template = key('template', ARGV[1])
local found, mark = redis.call('HMGET', template, 'content_version', 'editing'), ARGV[3] .. '|' .. ARGV[4]
if not found[1] then
  return {'missing'}
elseif found[2] == mark then
  return {'edited'}
elseif found[2] or found[1] ~= ARGV[2] then
  return {'raced'}
end
redis.call('HSET', template, 'editing', mark)
change_template(ARGV[5], ARGV[1])
return {'edited'}
