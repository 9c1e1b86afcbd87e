-- For connections whose reads the server tracks: what is written is read once more, since a write ends the tracking of a key,
-- and the connection is not told of its own writes.
local write = store
local function store(prefix, key, record, now)
  write(prefix, key, record, now)
  redis.call('EXISTS', key)
end
