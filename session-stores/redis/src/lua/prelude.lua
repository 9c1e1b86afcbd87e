-- What every script shares: where things are in a value (see the codec of session-store-kv) and how two of them compare.
--
-- Times and etags are 8 bytes, big-endian, times with the sign bit flipped. They are compared as bytes: a Lua number is
-- a double and would mix up neighbouring etags, and Lua's `<` on strings follows the server's locale.

local function state(value)
  if not value or value == '' then return 'none' end
  if string.sub(value, 1, 2) ~= 'S1' then return 'odd' end
  local kind = string.sub(value, 3, 3)
  if kind == 'r' and #value >= 48 then return 'record' end
  if kind == 't' and #value >= 16 then return 'tombstone' end
  if kind == 'p' and #value >= 88 then return 'pending' end
  return 'odd'
end

-- The record that a pending one holds.
local function inner(pending) return string.sub(pending, 41) end

local function etag(record) return string.sub(record, 5, 12) end
local function idle(record) return string.sub(record, 21, 28) end
local function absolute(record) return string.sub(record, 33, 40) end

local function before(a, b)
  for i = 1, 8 do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return false
end

local function deadline(record)
  local i, a = idle(record), absolute(record)
  if before(a, i) then return a end
  return i
end

local function live(record, now) return before(now, deadline(record)) end

-- Milliseconds as a number, only for what Redis itself must know: exact up to the year 9999, where it is capped.
local function millis(bytes)
  local a, b, c, d, e, f, g, h = string.byte(bytes, 1, 8)
  local high = ((a - 128) * 16777216) + (b * 65536) + (c * 256) + d
  local low = (e * 16777216) + (f * 65536) + (g * 256) + h
  return math.max(1, math.min(253402300799000, high * 4294967296 + low))
end

local function text(number) return string.format('%.0f', number) end

-- Redis forgets a record a minute after it lapsed, so that "load, then commit" does not straddle the end.
local SLACK = 60000
local function expiry(record) return text(millis(deadline(record)) + SLACK) end

local function owner_length(record)
  local a, b, c, d = string.byte(record, 41, 44)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function owner(record)
  if string.byte(record, 4) % 2 == 0 then return nil end
  return string.sub(record, 49, 48 + owner_length(record))
end

-- Whether this is a record of that owner; only the bytes before the payload are needed.
local function owned(head, name)
  return state(head) == 'record' and string.byte(head, 4) % 2 == 1
    and owner_length(head) == #name and string.sub(head, 49, 48 + #name) == name
end

-- The owner index: a sorted set per owner, the score being a moment at which the session is dead, rounded up to a minute, so
-- that a session which is written often is seldom moved. An empty prefix means that
-- the index is somebody else's work (in a cluster it lives in another slot).
local function member(key) return string.sub(key, -64) end
local function score(record) return text(math.ceil(millis(deadline(record)) / 60000) * 60000) end

local function unindex(prefix, record, key)
  local who = prefix ~= '' and owner(record)
  if who then redis.call('ZREM', prefix .. who, member(key)) end
end

local function index(prefix, record, key, now)
  local who = prefix ~= '' and owner(record)
  if not who then return end
  local set = prefix .. who
  redis.call('ZADD', set, score(record), member(key))
  if now then redis.call('ZREMRANGEBYSCORE', set, '-inf', text(millis(now))) end
  local last = redis.call('ZREVRANGE', set, 0, 0, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', set, text(tonumber(last[2]) + SLACK)) end
end

local function store(prefix, key, record, now)
  redis.call('SET', key, record, 'PXAT', expiry(record))
  -- A write ends the tracking of a key, and the connection is not told of its own writes: it is read once more.
  if TRACKED then redis.call('EXISTS', key) end
  index(prefix, record, key, now)
end

local function bury(key, stone)
  redis.call('SET', key, stone, 'PXAT', text(millis(string.sub(stone, 5, 12))))
end

local NEVER = string.rep('\255', 8)

local function same_place_in_index(a, b)
  return owner(a) == owner(b) and absolute(a) == absolute(b) and absolute(a) ~= NEVER
end

local GONE, APPLIED, CONFLICT, TAKEN, ODD, PENDING, INDEX_FIRST, MOVED, REPEATED = 0, 1, 2, 3, 4, 5, 6, 7, 8

local function hex(bytes)
  return (string.gsub(bytes, '.', function(byte) return string.format('%02x', string.byte(byte)) end))
end

-- The answer for a tombstone of a rotation: the successor's key and its record, or nil if the session has ended, or is
-- not live at `now`. In a cluster (empty prefix) the successor is in another slot: the answer is the tombstone, and the
-- caller follows it.
local function moved(stone, prefix, key, now)
  if #stone ~= 56 then return nil end
  if prefix == '' then return {MOVED, stone} end
  local sessions = string.sub(key, 1, -65)
  for _ = 1, 1000 do
    local successor = string.sub(stone, 17, 48)
    local there = redis.call('GET', sessions .. hex(successor))
    local is = state(there)
    if is == 'record' then
      if now and not live(there, now) then return nil end
      return {MOVED, successor, there}
    end
    if is ~= 'tombstone' or #there ~= 56 then return nil end
    stone = there
  end
  return nil
end
