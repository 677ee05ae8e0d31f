-- Durations as Prometheus counts them: how many by the smallest limit that they keep, and their sum.

local LIMITS = {'0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '60', '300', '3600'}

-- `name`: of the metric; `labels`: '' or each with ':' before it; the field ends in the limit, that of the sum in 'ms'.
local function tally_seconds(name, labels, ms)
  local limit = '+Inf'
  for _, each in ipairs(LIMITS) do
    if ms <= each * 1000 then
      limit = each
      break
    end
  end
  tally(name .. labels .. ':' .. limit)
  tally(name .. labels .. ':ms', math.max(ms, 0))
end
