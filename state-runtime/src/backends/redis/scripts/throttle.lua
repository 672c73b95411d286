-- Takes permits of a rate limit by the clock of the server, or tells when there are enough: whether they
-- were taken, how many are left, and in microseconds when to try again (-1 for never) and when all are
-- there again. Or 2: what is stored is no rate window.
-- KEYS[1]: the key. ARGV: 'smooth' or 'window', how many to take, how many there are, and in microseconds
-- how long one takes to come back, or how long a window is.
-- The arithmetic is that of the other backends. Doubles hold all its numbers exactly: they are below 2^53.
local smooth, cost, capacity, step = ARGV[1] == 'smooth', tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.pcall('TIME')
if time.err then return time end
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local stored = redis.pcall('GET', KEYS[1])
if type(stored) == 'table' then return stored end

local function count(number)
  return type(number) == 'number' and number >= 0 and number <= 9007199254740991 and number == math.floor(number)
end

local free_at, used = 0, 0
if stored then
  local read, window = pcall(cjson.decode, stored)
  if not read or type(window) ~= 'table' then return 2 end
  free_at, used = window.free_at, window.used
  if used == nil then used = 0 end
  if not count(free_at) or not count(used) then return 2 end
end

local span = smooth and step * capacity or step
-- Never further away than a whole span: the limit may have been another one, and a clock may have been set back.
free_at = math.min(math.max(free_at, now), now + span)
local taken_at, taken, later
if smooth then
  taken_at, taken = free_at + cost * step, 0
  later = math.max(0, taken_at - now - span)
else
  taken_at, taken = free_at, used + cost
  if free_at <= now then taken_at, taken = now + step, cost end
  later = taken > capacity and taken_at - now or 0
end

local admitted = later == 0
if admitted and cost > 0 then
  free_at, used = taken_at, taken
  local window = string.format('{"free_at":%.0f,"used":%.0f}', free_at, used)
  local written = redis.pcall('SET', KEYS[1], window, 'PX', string.format('%.0f', math.ceil((free_at - now) / 1000)))
  if written.err then return written end
end
local reset = free_at - now
local remaining = capacity
if smooth then
  remaining = math.floor((span - reset) / step)
elseif reset > 0 then
  remaining = math.max(0, capacity - used)
end
return {admitted and 1 or 0, remaining, (admitted or cost > capacity) and -1 or later, reset}
