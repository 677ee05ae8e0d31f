-- What lists are read from besides the states: messages by app, by reference, and the latest of a contact.

-- The longest that a message may wait (30 days) and is kept after: longer than any message that is listed.
local LONGEST_WAIT = 2592000000

local function list_recent(contact, at, member, retention)
  redis.call('ZADD', key('recent', contact), at, member)
  redis.call('ZREMRANGEBYRANK', key('recent', contact), 0, -1001)
  redis.call('PEXPIRE', key('recent', contact), retention)
end

local function list_accepted(now, id, app, contact, reference, retention)
  redis.call('ZADD', key('accepted', app), now, id)
  list_recent(contact, now, id, retention)
  if reference ~= '' then
    local kept = LONGEST_WAIT + retention
    local index = key('reference', app, reference)
    redis.call('ZADD', index, now, id)
    redis.call('ZREMRANGEBYSCORE', index, '-inf', now - kept)
    redis.call('PEXPIRE', index, whole(kept))
  end
end
