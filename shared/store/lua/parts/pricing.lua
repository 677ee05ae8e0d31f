-- What a message costs, merged from all reports that say it, in any order.

-- Both are flat; of two words for one thing the smaller stands.
local function merge_pricing(standing, fresh)
  local merged = cjson.decode(standing)
  for name, value in pairs(cjson.decode(fresh)) do
    if merged[name] == nil or tostring(value) < tostring(merged[name]) then
      merged[name] = value
    end
  end
  return cjson.encode(merged)
end

-- `word`: as what it is billed (category:type) or '', a space, then the pricing as JSON. Counted once an attempt: one
-- that was tried anew may be billed anew.
local function price(message, attempt, sender, word)
  local billed_as, pricing = string.match(word, '^(%S*) (.*)$')
  local standing = redis.call('HMGET', message, 'pricing', 'billed')
  redis.call('HSET', message, 'pricing', standing[1] and merge_pricing(standing[1], pricing) or pricing)
  if billed_as ~= '' and standing[2] ~= attempt then
    redis.call('HSET', message, 'billed', attempt)
    count('billed_messages_total:' .. sender .. ':' .. billed_as)
  end
end
