-- Messages that were routed as if the window was closed, while it was open by what we had not heard yet.

local AS_CLOSED = {window_closed = true, window_closed_no_template = true, waiting_for_window = true}

-- The rule by which a message last went, or stays here, and when that was decided (ms).
local function last_rule(id)
  local found = redis.call('HMGET', key('message', id), 'sender', 'state', 'state_at', 'begun_at', 'attempts', 'reason')
  if found[2] == 'held' or found[2] == 'refused' then
    return found[1], found[6], tonumber(found[3])
  elseif found[1] and found[4] then
    local attempt = redis.call('HGET', key('message', id), 'attempt:' .. found[5])
    local route = attempt and cjson.decode(attempt).route
    return found[1], type(route) == 'table' and route.rule, tonumber(found[4])
  end
end

-- A window has opened with a message of `event_at`: of the contact's latest messages, how many were decided since and
-- otherwise. Times of events are whole seconds, so the second itself proves nothing.
local function count_false_closed(sender, contact, event_at)
  for _, id in ipairs(redis.call('ZRANGE', key('recent', contact), 0, -1)) do
    local by, rule, decided_at = nil, nil, nil
    if string.sub(id, 1, 3) ~= 'in:' then
      by, rule, decided_at = last_rule(id)
    end
    if by == sender and AS_CLOSED[rule or ''] and decided_at >= event_at + 1000 then
      count('window_disagreements_total:' .. sender .. ':false_closed')
    end
  end
end
