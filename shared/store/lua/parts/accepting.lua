-- How a message is written that was not there before. Stands on indexes.

-- `row`: what accept.lua takes. All of its first state at once; what `set_state` and `note` do takes four commands more.
local function write(row, contact)
  local now, id = row[1], row[2]
  local score = whole(tonumber(row[5]) * 4398046511104 + redis.call('HINCRBY', KEYS[1], 'order', 1))
  redis.call('HSET', key('message', id), 'request', row[7], 'app', row[8], 'sender', row[3], 'contact', contact,
    'priority', row[5], 'score', score, 'expires_at', row[6], 'accepted_at', now, 'reference', row[9],
    'in_doubt', row[10], 'templates', row[11], 'fence', 0, 'claims', 0, 'attempts', 0, 'not_before', 0,
    'state', 'queued', 'state_at', now, 'timeline', '{"at":' .. now .. ',"event":"accepted"}')
  redis.call('PEXPIREAT', key('message', id), whole(row[6] + row[16]))
  redis.call('ZADD', key('state', 'queued'), now, id)
  redis.call('HINCRBY', key('backlog'), row[8], 1)
  emit(now, 'message.accepted', id)
  redis.call('ZADD', key('lane', row[3], contact), score, id)
  redis.call('ZADD', key('expiring'), row[6], id)
  list_accepted(now, id, row[8], contact, row[9], row[16])
end
