-- Gives an entry that expires a later expiry. It takes none away and gives none to one without.
-- KEYS[1]: the key. ARGV[1]: the new expiry in ms. ARGV[2]: only if less is left.
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < tonumber(ARGV[2]) then
  return redis.pcall('PEXPIRE', KEYS[1], ARGV[1])
end
return 0
