-- KEYS: the session. ARGV: owner, now, tombstone. Answers {TAKEN} where there is nothing of this owner's to end,
-- {GONE} where it was dead already and stays so, {APPLIED} where it ended a live session.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'tombstone' then return {GONE} end
local record = current
if is == 'pending' then record = inner(current) elseif is ~= 'record' then return {TAKEN} end
if owner(record) ~= ARGV[1] then return {TAKEN} end
bury(KEYS[1], ARGV[3])
if live(record, ARGV[2]) then return {APPLIED} end
return {GONE}
