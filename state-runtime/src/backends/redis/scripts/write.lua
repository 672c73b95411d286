-- Several writes, all or none. Returns 0, or the number of the first whose condition does not hold.
-- KEYS[i]: the key of write i.
-- ARGV[3i-2]: its condition: 'any', 'absent', or the SHA-1 of the value that has to be there.
-- ARGV[3i-1]: 'remove', or the expiry: '' for none, 'keep', or ms.
-- ARGV[3i]: the value.
-- A script that fails midway is not undone, so everything that can fail comes before the first write.
for i, key in ipairs(KEYS) do
  local condition = ARGV[3 * i - 2]
  if condition == 'absent' then
    local found = redis.pcall('EXISTS', key)
    if type(found) == 'table' then return found end
    if found == 1 then return i end
  elseif condition ~= 'any' then
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then return value end
    if not value or redis.sha1hex(value) ~= condition then return i end
  end
end

local function command(i)
  local expiry = ARGV[3 * i - 1]
  if expiry == 'remove' then return 'DEL', KEYS[i] end
  if expiry == '' then return 'SET', KEYS[i], ARGV[3 * i] end
  if expiry == 'keep' then return 'SET', KEYS[i], ARGV[3 * i], 'KEEPTTL' end
  return 'SET', KEYS[i], ARGV[3 * i], 'PX', expiry
end

-- Rights can differ from command to command and from key to key. Redis 6.2 cannot be asked.
if #KEYS > 1 and redis.acl_check_cmd then
  for i = 1, #KEYS do
    if not redis.acl_check_cmd(command(i)) then return {err = 'NOPERM a write of the batch'} end
  end
end

for i = 1, #KEYS do
  local done = redis.pcall(command(i))
  if type(done) == 'table' and done.err then
    if i == 1 then return done end
    return {err = 'PARTIAL a write of the batch failed'}
  end
end
return 0
