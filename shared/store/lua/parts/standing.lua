-- Where a message stands once its claim is settled: in its lane, aside in the groups that wake it, or nowhere.

-- `found`: its score and expiry as settle reads them; `leaves`: it is neither waiting nor a doubt that its lane waits for.
local function stand(id, sender, contact, is_waiting, leaves, found, groups)
  if is_waiting and #groups > 0 then
    redis.call('ZREM', key('lane', sender, contact), id)
    for _, group in ipairs(groups) do
      redis.call('ZADD', key('held', group), found[5], id)
    end
    redis.call('HSET', key('message', id), 'held_in', table.concat(groups, ' '))
  elseif is_waiting then
    redis.call('ZADD', key('lane', sender, contact), found[5], id)
    redis.call('ZADD', key('expiring'), found[6], id)
  elseif leaves then
    leave_lane(id, sender, contact)
  end
end

-- Counts how a claim ended: an attempt with its code and its time, or a route that sent nothing.
local function tally_settled(now, sender, state, outcome, counted_as, begun_at)
  if OF_AN_ATTEMPT[outcome] or state == 'sending' then
    tally('provider_requests_total:' .. sender .. ':' .. outcome .. ':' .. counted_as)
    tally_seconds('provider_seconds', ':' .. sender, now - (begun_at or now))
  elseif outcome ~= 'released' then
    tally('messages_routed_total:' .. sender .. ':' .. counted_as)
  end
end
