-- What changes nothing but counts and lists has no state of its own that tells a repeat from the first: a mark does.

-- False for what was there already with this nonce. `life` (ms): longer than anybody repeats it.
local function is_first(nonce, life)
  return redis.call('SET', key('once', nonce), '1', 'NX', 'PX', life) and true or false
end
