-- Text that grows: the pieces of a long text are joined while it is written.
--
--   new(limit, over)    -> buffer; beyond `limit` bytes, if it is given, `over` is called
--   flush(buffer, n)    -> 0; joins pieces 1..n
--   push(buffer, text)  -- adds a long text, after flush
--   finish(buffer, n)   -> the whole text
--   MANY                -- pieces after which a writer calls flush
--
-- `buffer.pieces` belongs to the writer, who fills 1..n.

local kit = ...

local concat, huge = kit.table.concat, kit.math.huge

-- Joined parts are merged pairwise with `..`, which needs twice the size of the text at its peak; one table.concat
-- of all pieces needs three times the size, and 16 bytes for each of a million commas.
local function push(buffer, text)
  buffer.size = buffer.size + #text
  if buffer.size > buffer.limit then buffer.over(buffer) end
  local parts = buffer.parts
  local top = #parts
  while top > 0 and #parts[top] < 2 * #text do
    text = parts[top] .. text
    parts[top] = nil
    top = top - 1
  end
  parts[top + 1] = text
end

local function flush(buffer, n)
  push(buffer, concat(buffer.pieces, "", 1, n))
  return 0
end

local function finish(buffer, n)
  local parts = buffer.parts
  if #parts == 0 then return concat(buffer.pieces, "", 1, n) end
  flush(buffer, n)
  for top = #parts, 2, -1 do
    parts[top - 1] = parts[top - 1] .. parts[top]
    parts[top] = nil
  end
  return parts[1]
end

local function new(limit, over)
  return { pieces = {}, parts = {}, size = 0, limit = limit or huge, over = over }
end

return { new = new, push = push, flush = flush, finish = finish, MANY = 1024 }
