-- KEYS: the owner's index. ARGV: session prefix, owner, now, until when a tombstone stands, the member to spare or ''.
-- A tombstone's checksum covers its key, and only this script knows which keys there are.
local function checksum(bytes)
  local sum = -1
  for i = 1, #bytes do
    sum = bit.bxor(sum, string.byte(bytes, i))
    for _ = 1, 8 do
      local odd = bit.band(sum, 1) == 1
      sum = bit.rshift(sum, 1)
      if odd then sum = bit.bxor(sum, 0xedb88320) end
    end
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

local ended = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = ARGV[1] .. name
  local value = redis.call('GET', key)
  if name ~= ARGV[5] and (not value or string.match(value, '^S1')) then
    if state(value) == 'record' and owner(value) == ARGV[2] then
      if live(value, ARGV[3]) then ended = ended + 1 end
      bury(key, tombstone(name))
    end
    redis.call('ZREM', KEYS[1], name)
  end
end
return ended
