-- What the clock alone ends or brings into doubt: listed for Flower, because no drain has a row of it.

local MOST_LISTED = 20

-- Of each sender, state and reason the first of a beat with their ids, then only how many there are. Called with the
-- change of state and never without it: a repeat finds nothing to change.
local function tell_lapse(id, sender, state, reason, now)
  local lapsed, kind = key('lapsed'), sender .. '|' .. state .. '|' .. reason
  if redis.call('HINCRBY', lapsed, kind, 1) <= MOST_LISTED then
    redis.call('HSET', lapsed, id, kind .. '|' .. now)
    redis.call('PEXPIRE', lapsed, 3600000)
  end
end
