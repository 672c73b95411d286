-- A value and when it expires, of one and the same moment.
-- KEYS[1]: the key. ARGV[1]: what to renew its expiry to, in ms, or 0. ARGV[2]: only if less is left.
local value = redis.pcall('GET', KEYS[1])
if not value or type(value) == 'table' then return value end
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return false end
if left >= 0 and left < tonumber(ARGV[2]) then
  local renewed = redis.pcall('PEXPIRE', KEYS[1], ARGV[1])
  if type(renewed) == 'table' then return renewed end
  left = tonumber(ARGV[1])
end
return {value, left}
