-- KEYS: the owner's index. ARGV: session prefix, owner, now, until when a tombstone stands, the member to spare or '', how
-- many members to skip, how many to look at. Answers how many live sessions were ended, members kept, and looked at.
-- A tombstone's checksum covers its key, and only this script knows which keys there are.
local sums = {}
for i = 0, 255 do
  local sum = i
  for _ = 1, 8 do
    local odd = bit.band(sum, 1) == 1
    sum = bit.rshift(sum, 1)
    if odd then sum = bit.bxor(sum, 0xedb88320) end
  end
  sums[i] = sum
end
local function checksum(bytes)
  local sum = -1
  for i = 1, #bytes do
    sum = bit.bxor(bit.rshift(sum, 8), sums[bit.band(bit.bxor(sum, string.byte(bytes, i)), 255)])
  end
  sum = bit.bnot(sum)
  local function byte(at) return bit.band(bit.rshift(sum, at), 255) end
  return string.char(byte(24), byte(16), byte(8), byte(0))
end
local function tombstone(name)
  local key = string.gsub(name, '..', function(digits) return string.char(tonumber(digits, 16)) end)
  local head = 'S1t0' .. ARGV[4]
  return head .. checksum(key .. head)
end

local skip, most = tonumber(ARGV[6]), tonumber(ARGV[7])
local names = redis.call('ZRANGE', KEYS[1], skip, skip + most - 1)
local ended, kept = 0, 0
for _, name in ipairs(names) do
  local key = ARGV[1] .. name
  local head = redis.call('GETRANGE', key, 0, 47 + #ARGV[2])
  if name ~= ARGV[5] and (head == '' or string.match(head, '^S1')) then
    if owned(head, ARGV[2]) then
      if live(head, ARGV[3]) then ended = ended + 1 end
      bury(key, tombstone(name))
    end
    redis.call('ZREM', KEYS[1], name)
  else
    kept = kept + 1
  end
end
return {ended, kept, #names}
