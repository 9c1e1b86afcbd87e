-- The usual replace: a live record with the expected etag, whose place in the owner index stays what it is. Anything else
-- goes on to the whole script below, which decides exactly. Comes first, so that the functions of the prelude are not even
-- made. Numbers are doubles: `>` between two of them never claims more than is true of the bytes.
local current = redis.call('GET', KEYS[1])
if current and #current >= 48 and string.sub(current, 1, 3) == 'S1r' and string.sub(current, 5, 12) == ARGV[4]
  and string.sub(ARGV[2], 5, 12) ~= ARGV[4] then
  local function time(bytes, at)
    local a, b, c, d, e, f, g, h = string.byte(bytes, at, at + 7)
    return ((a - 128) * 16777216 + b * 65536 + c * 256 + d) * 4294967296 + (e * 16777216 + f * 65536 + g * 256 + h)
  end
  local function deadline(record)
    return math.max(1, math.min(253402300799000, time(record, 21), time(record, 33)))
  end
  local now, before, after = time(ARGV[3], 1), deadline(current), deadline(ARGV[2])
  local same = string.byte(current, 4) % 2 == 0 and string.byte(ARGV[2], 4) % 2 == 0
  if not same and ARGV[1] ~= '' and string.byte(current, 4) == string.byte(ARGV[2], 4)
    and math.ceil(before / 60000) == math.ceil(after / 60000) then
    local a, b, c, d = string.byte(current, 41, 44)
    local last = 48 + ((a * 256 + b) * 256 + c) * 256 + d
    same = string.sub(current, 41, 44) == string.sub(ARGV[2], 41, 44)
      and string.sub(current, 49, last) == string.sub(ARGV[2], 49, last)
  end
  if same and before > now then
    redis.call('SET', KEYS[1], ARGV[2], 'PXAT', string.format('%.0f', after + 60000))
    if TRACKED then redis.call('EXISTS', KEYS[1]) end
    return {1}
  end
end
