-- Adds to a JSON integer of up to 128 bits. The sum as digits, or 1: it leaves its bounds, or 2: what
-- is stored is no integer.
-- KEYS[1]: the key. ARGV: the summand, the least sum, the greatest sum, and the expiry in ms of an
-- entry that does not exist yet, or ''.
-- Numbers in Lua are doubles, exact up to 15 digits. Longer ones are added and compared as text.
local MAX, MIN = '170141183460469231731687303715884105727', '170141183460469231731687303715884105728'

local function split(number)
  if string.sub(number, 1, 1) == '-' then return -1, string.sub(number, 2) end
  return 1, number
end

-- Compares digits without sign.
local function order(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  if a == b then return 0 end
  return a < b and -1 or 1
end

local function less(a, b)
  local sign_a, digits_a = split(a)
  local sign_b, digits_b = split(b)
  if sign_a ~= sign_b then return sign_a < sign_b end
  return order(digits_a, digits_b) == -sign_a
end

-- a + sign * b, seven digits at a time, for a >= b >= 0.
local function combine(a, b, sign)
  local parts, carry = {}, 0
  b = string.rep('0', #a - #b) .. b
  for last = #a, 1, -7 do
    local first = math.max(1, last - 6)
    local part = tonumber(string.sub(a, first, last)) + sign * tonumber(string.sub(b, first, last)) + carry
    local base = 10 ^ (last - first + 1)
    carry = 0
    if part < 0 then part, carry = part + base, -1 end
    if part >= base then part, carry = part - base, 1 end
    table.insert(parts, 1, string.format('%0' .. (last - first + 1) .. '.0f', part))
  end
  local digits = string.gsub((carry == 1 and '1' or '') .. table.concat(parts), '^0+', '')
  return digits == '' and '0' or digits
end

local function sum(a, b)
  if #a <= 15 and #b <= 15 then return string.format('%.0f', tonumber(a) + tonumber(b)) end
  local sign_a, digits_a = split(a)
  local sign_b, digits_b = split(b)
  if order(digits_a, digits_b) == -1 then
    sign_a, digits_a, sign_b, digits_b = sign_b, digits_b, sign_a, digits_a
  end
  local digits = combine(digits_a, digits_b, sign_a * sign_b)
  return (sign_a == -1 and digits ~= '0') and '-' .. digits or digits
end

local stored = redis.pcall('GET', KEYS[1])
if type(stored) == 'table' then return stored end
local current = '0'
if stored then
  current = string.match(stored, '^[ \t\r\n]*(%-?[1-9]%d*)[ \t\r\n]*$')
  if not current and string.match(stored, '^[ \t\r\n]*0[ \t\r\n]*$') then current = '0' end
  if not current then return 2 end
  local sign, digits = split(current)
  if order(digits, sign == 1 and MAX or MIN) == 1 then return 2 end
end
local result = sum(current, ARGV[1])
if less(result, ARGV[2]) or less(ARGV[3], result) then return 1 end

local written
if stored then
  written = redis.pcall('SET', KEYS[1], result, 'KEEPTTL')
elseif ARGV[4] == '' then
  written = redis.pcall('SET', KEYS[1], result)
else
  written = redis.pcall('SET', KEYS[1], result, 'PX', ARGV[4])
end
return written.err and written or result
