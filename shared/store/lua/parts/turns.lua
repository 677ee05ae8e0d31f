-- Whose turn it is: high before normal before bulk, and the apps of a priority by turns, one contact each. Of twenty
-- that are claimed one goes to bulk first and one to normal, so that neither starves. `turns` keeps how many were
-- claimed, and of each priority the queue that was served last. Stands on lanes.

-- Of a priority's queues that may have something, the one after the last that was served comes first.
local function by_turns(due, priority, last)
  local order, before = {}, {}
  table.sort(due)
  for _, queue in ipairs(due) do
    if string.sub(queue, 1, 1) == priority then
      local list = queue > last and order or before
      list[#list + 1] = queue
    end
  end
  for _, queue in ipairs(before) do
    order[#order + 1] = queue
  end
  return order
end

-- Takes out of a queue up to `most` contacts that may be looked at.
local function leave_due(sender, queue, now, most)
  local ready, queues = key('ready', sender, queue), key('queues', sender)
  local contacts = redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, most)
  if #contacts > 0 then
    redis.call('ZREM', ready, unpack(contacts))
    redis.call('HDEL', key('placed', sender), unpack(contacts))
  end
  local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')
  if #first > 0 then
    redis.call('ZADD', queues, first[2], queue)
  else
    redis.call('ZREM', queues, queue)
  end
  return contacts
end

-- Equal shares to all that have something, what one leaves to the others. `serve` says how many of the contacts it
-- could use. Returns how many in all, and who was last.
local function share_out(sender, order, now, most, serve)
  local left, last = most, nil
  while left > 0 and #order > 0 do
    local share, others = math.max(1, math.floor(left / #order)), {}
    for _, queue in ipairs(order) do
      if left > 0 then
        local wanted = math.min(share, left)
        local contacts = leave_due(sender, queue, now, wanted)
        if #contacts > 0 then
          last = queue
          left = left - serve(contacts)
        end
        if #contacts == wanted then
          others[#others + 1] = queue
        end
      end
    end
    order = others
  end
  return most - left, last
end

-- How many to take of which priority, in this order, when `claimed` were claimed before and `most` may be now.
local function shares(claimed, most)
  local function each_twentieth(offset)
    return math.floor((claimed + offset + most) / 20) - math.floor((claimed + offset) / 20)
  end
  return {{'2', each_twentieth(0)}, {'1', each_twentieth(10)}, {'0', most}, {'1', most}, {'2', most}}
end

-- Serves up to `most` contacts of a sender that may be looked at.
local function serve_by_turns(sender, now, most, serve)
  local due = redis.call('ZRANGEBYSCORE', key('queues', sender), '-inf', now)
  if #due == 0 or most < 1 then
    return
  end
  local standing = redis.call('HMGET', key('turns', sender), 'claimed', '0', '1', '2')
  local claimed, left = tonumber(standing[1] or '0'), most
  local fields = {'claimed'}
  local last = {['0'] = standing[2] or '', ['1'] = standing[3] or '', ['2'] = standing[4] or ''}
  for _, share in ipairs(shares(claimed, most)) do
    local priority = share[1]
    local order = by_turns(due, priority, last[priority])
    local served, latest = share_out(sender, order, now, math.min(share[2], left), serve)
    left, last[priority] = left - served, latest or last[priority]
  end
  redis.call('HSET', key('turns', sender), 'claimed', claimed + most - left, '0', last['0'], '1', last['1'],
    '2', last['2'])
end
