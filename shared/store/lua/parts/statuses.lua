-- Whether a report moves a message, and what becomes of one that failed late and may be tried again. Stands on once and
-- lanes.

-- What `after_status` of message.py says, in one expression; a test compares the two over all pairs.
-- `is_final_now`: this attempt was said to have failed in a way that is tried again, and now for a reason that is final:
-- that reason stands, in either order. An attempt that arrived after all must not be tried again.
local function moves_on(state, reported, is_final_now)
  local ranks = {sending = 0, unknown = 0, submitted = 0, sent = 1, delivered = 2, read = 3, failed = 1}
  local rank = ranks[state]
  if WAITING[state] then
    return (RANK[reported] or 0) >= RANK.delivered or (reported == 'failed' and is_final_now)
  end
  return rank and ((reported == 'failed' and rank < 2 and state ~= 'failed')
    or (RANK[reported] and RANK[reported] > rank))
end

-- An attempt that the provider had taken and says of later that it failed; `code`: '' if it does not. Counted, unless
-- that is a disagreement about the window, and listed for Flower with what became of its message: the latest 10,000.
local function tell_failure(now, id, attempt, sender, code, goes_on)
  if code == '' then
    return
  elseif goes_on ~= 'window' then
    tally('reported_failures_total:' .. sender .. ':' .. code)
  end
  local listed, state = key('reported'), redis.call('HGET', key('message', id), 'state')
  redis.call('ZADD', listed, now, table.concat({id, attempt, sender, state, code}, '|'))
  redis.call('ZREMRANGEBYRANK', listed, 0, -10001)
  redis.call('PEXPIRE', listed, 3600000)
end

-- A report about a message that is not there; a repeat within ten minutes is none.
local function tally_unmatched(sender, id, attempt, reported)
  if is_first(table.concat({'status', sender, id, attempt, reported}, ':'), 600000) then
    tally('statuses_unmatched_total:' .. sender)
  end
end

-- Back to its lane, to be decided anew after its wait: 4^n seconds within the hour, as `backoff` of retry.py says; a test
-- compares the two. `how`: retry:<most tries or ''>:<least wait in ms>:<jitter, 0 to 1>
local function retry_late(id, now, how)
  local message = key('message', id)
  local most, least, jitter = string.match(how, '^retry:(%d*):(%d+):(.*)$')
  local found = redis.call('HMGET', message, 'sender', 'contact', 'state', 'score', 'expires_at')
  local tries = redis.call('HINCRBY', message, 'tries', 1)
  local wait = math.min(4 ^ math.min(tries - 1, 6) * (0.8 + 0.4 * tonumber(jitter)), 3600) * 1000
  local at = tonumber(now) + math.floor(math.max(wait, tonumber(least)))
  if most ~= '' and tries >= tonumber(most) then
    fail(id, found[1], found[2], 'tries_exhausted', now)
  elseif at >= tonumber(found[5]) then
    fail(id, found[1], found[2], 'expires_before_retry', now)
  else
    set_state(id, found[3], 'deferred', now)
    redis.call('HSET', message, 'not_before', whole(at), 'reason', 'provider_error')
    redis.call('ZADD', key('lane', found[1], found[2]), found[4], id)
    redis.call('ZADD', key('expiring'), found[5], id)
    note(id, now, 'deferred', {reason = 'provider_error'})
  end
end
