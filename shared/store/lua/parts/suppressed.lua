-- Opt-outs of people who were erased stand again as soon as one of their names comes back. Stands on consent.
-- `suppressed` keeps under the keyed hash of each name: `consent:category=at preference:category=at` (whole seconds).

-- `hashes`: of the names of this contact, space between. What it decided since is newer and stands.
local function stand_again(contact, hashes)
  for hash in string.gmatch(hashes, '%S+') do
    local kept = redis.call('HGET', key('suppressed'), hash)
    for kind, category, at in string.gmatch(kept or '', '(%l+):(%l+)=(%d+)') do
      local changed
      if kind == 'preference' then
        changed = keep_newer(key('contact', contact), 'preference:' .. category, 'opted_out', at * 1000)
      else
        local record = '{"status":"opted_out","at":' .. at .. ',"source":"erased_opt_out","evidence":null}'
        changed = put_consent(contact, category, 'opted_out', tonumber(at), record) == 1
      end
      if changed then
        redis.call('HINCRBY', key('contact', contact), 'version', 1)
        redis.call('ZADD', key('consented'), 0, contact)
      end
    end
  end
end
