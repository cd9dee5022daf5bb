-- Text that grows: the pieces of a long text are joined while it is written.
--
--   new(limit, over)    -> buffer; beyond `limit` bytes, if it is given, `over` is called
--   flush(buffer, n)    -> 0; joins pieces 1..n
--   push(buffer, text)  -- adds a long text, after flush
--   finish(buffer, n)   -> the whole text
--   parts(buffer, n)    -> the text as a list of parts
--   MANY                -- pieces after which a writer calls flush
--
-- `buffer.pieces` belongs to the writer, who fills 1..n.

local kit = ...

local collectgarbage, pcall, huge = kit.collectgarbage, kit.pcall, kit.math.huge
local concat, unpack = kit.table.concat, kit.table.unpack

local function push(buffer, text)
  buffer.size = buffer.size + #text
  if buffer.size > buffer.limit then buffer.over(buffer) end
  buffer.parts[#buffer.parts + 1] = text
end

-- Near the memory limit table.concat fails although there is garbage, because its buffer is allocated past the collector.
-- What fails twice does not fit. Twice, because each collection halves the table of all short strings once.
local function joined(join, ...)
  local ok, text = pcall(join, ...)
  if ok then return text end
  collectgarbage()
  collectgarbage()
  return join(...)
end

local function flush(buffer, n)
  push(buffer, joined(concat, buffer.pieces, "", 1, n))
  return 0
end

local function parts_of(buffer, n)
  flush(buffer, n)
  return buffer.parts
end

local function join_eight(parts, at)
  local a, b, c, d, e, f, g, h = unpack(parts, at, at + 7)
  return a .. (b or "") .. (c or "") .. (d or "") .. (e or "") .. (f or "") .. (g or "") .. (h or "")
end

-- `..` makes the text in one go, so at its peak there is twice the size of the whole; table.concat needs three times
-- the size. Merging by eights copies each byte two or three times; by twos it would be seven times.
local function merge(parts)
  local n = 0
  for at = 1, #parts, 8 do
    local text = joined(join_eight, parts, at)
    for index = at, at + 7 do parts[index] = nil end
    n = n + 1
    parts[n] = text
  end
end

local function finish(buffer, n)
  if #buffer.parts == 0 then return joined(concat, buffer.pieces, "", 1, n) end
  local parts = parts_of(buffer, n)
  while #parts > 1 do merge(parts) end
  return parts[1]
end

local function new(limit, over)
  return { pieces = {}, parts = {}, size = 0, limit = limit or huge, over = over }
end

return { new = new, push = push, flush = flush, finish = finish, parts = parts_of, MANY = 4000 }
