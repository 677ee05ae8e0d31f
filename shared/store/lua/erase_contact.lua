-- Cuts a person off in one step: what a worker has in hand of them is stopped, consent, windows, limits and names go,
-- and their opt-outs stay under keyed hashes of the names. Their messages and what they wrote go after it, in parts.
-- USES lanes limits gates consent suppressed erasing
-- KEYS  business
-- ARGV  now, names (space between), their keyed hashes (in that order), all senders of the business, portfolios,
--       1: only if nothing of the person has come since the cut; 2: only if nothing of them is newer than `now`
-- Returns {messages that were in hand, of them not sent, windows, contacts with a consent, aliases, 1 if an opt-out stays};
--       {} if something has come
local now, names, hashes, senders = ARGV[1], words(ARGV[2]), words(ARGV[3]), words(ARGV[4])
local messages, cancelled, windows, consents, aliases = 0, 0, 0, 0, 0

local function has_newer(name)
  local last = redis.call('ZRANGE', key('recent', name), -1, -1, 'WITHSCORES')[2]
  local is_newer = last and tonumber(last) > tonumber(now)
  for _, line in ipairs(redis.call('LRANGE', key('consent_history', name), 0, -1)) do
    is_newer = is_newer or tonumber(string.match(line, '\n(%d+)|') or '0') > tonumber(now)
  end
  return is_newer
end

for _, name in ipairs(names) do
  if ARGV[6] == '1' and redis.call('EXISTS', key('recent', name), key('consent_history', name)) > 0 then
    return {}
  elseif ARGV[6] == '2' and has_newer(name) then
    return {}
  end
end

local function stop_in_hand(sender, name)
  local id = redis.call('HGET', key('claimed', sender), name)
  local state = id and erase_message(id, now, names)
  if state then
    messages = messages + 1
    cancelled = cancelled + (WAITING[state] and 1 or 0)
  elseif id then
    unclaim(sender, name)
    place(sender, name, now, true)
  end
end

local stays = keep_opt_outs(names, hashes)
for i, name in ipairs(names) do
  for _, portfolio in ipairs(words(ARGV[5])) do
    -- The day still counts a contact, nobody knows whom.
    local at = redis.call('ZSCORE', key('reached', portfolio), name)
    if at then
      redis.call('ZREM', key('reached', portfolio), name)
      redis.call('ZADD', key('reached', portfolio), at, hashes[i])
    end
  end
  consents = consents + redis.call('ZREM', key('consented'), name)
  aliases = aliases + redis.call('DEL', key('alias', name))
  redis.call('DEL', key('contact', name), key('consent_history', name))
end
for _, sender in ipairs(senders) do
  for _, name in ipairs(names) do
    stop_in_hand(sender, name)
    windows = windows + redis.call('DEL', key('window', sender, name))
    redis.call('DEL', key('pair', sender, name))
    redis.call('ZREM', key('closing', sender), name)
    redis.call('HDEL', key('waking'), 'window:' .. sender .. ':' .. name)
    redis.call('HDEL', key('paused', sender), name)
    redis.call('HDEL', key('joining', sender), name)
    place(sender, name, now)
  end
end
return {messages, cancelled, windows, consents, aliases, stays and 1 or 0}
