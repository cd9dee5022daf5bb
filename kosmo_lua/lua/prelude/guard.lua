-- The functions through which a script could catch an error, or load and run code: each is guarded, so that
-- the end of a run (a limit) passes through them, and no bytecode and no finalizer is accepted.

local kit = ...
local failure, host = kit.failure, kit.host
local error, load, pcall, rawget, select, setmetatable = kit.error, kit.load, kit.pcall, kit.rawget, kit.select, kit.setmetatable
local sethook, type, xpcall = kit.sethook, kit.type, kit.xpcall
local close, create, resume, status = kit.coroutine.close, kit.coroutine.create, kit.coroutine.resume, kit.coroutine.status
local concat, find = kit.table.concat, kit.string.find
local is_fatal, placed = failure.is_fatal, failure.placed

local guard = {}

-- Passes results on, unless the run is over: then there is an error, whatever a __close has made of it.
local function checked(ok, ...)
  if ok then
    return ok, ...
  end
  if is_fatal((...)) then
    error(failure.OVER, 0)
  end
  return false, ...
end

-- The message handler of pcall: notes a fatal error where it happens, for its line.
local function note(problem)
  if is_fatal(problem) then
    return failure.OVER
  end
  return placed(problem)
end

function guard.pcall(f, ...)
  return checked(xpcall(f, note, ...))
end

function guard.xpcall(f, handler, ...)
  return checked(xpcall(f, function(problem)
    if is_fatal(problem) then
      return failure.OVER
    end
    return handler(placed(problem))
  end, ...))
end

-- A coroutine is in the batch in which it was resumed first, wherever it is resumed again.
local scope = kit.scope
local batches = setmetatable({}, { __mode = "k" }) -- thread -> its batch while it is suspended, false for none

local function left(thread, outer, ...)
  if scope.used then -- a script without batches does not pay for them
    batches[thread], scope.batch = scope.batch or false, outer
  end
  return ...
end

local function go_on(thread, ...)
  local outer = scope.batch
  if scope.used then
    local own = batches[thread]
    if own ~= nil then scope.batch = own or nil end
  end
  return left(thread, outer, resume(thread, ...))
end

-- Coroutines are not reached by a hook on the main state. Where no supervisor can end the process, each
-- has a hook of its own that asks the host from time to time.
local function ask_host()
  if host("stopping") then
    error("\3", 0)
  end
end

local function new(f)
  local thread = create(f)
  if kit.watch then
    sethook(thread, ask_host, "", 1000)
  end
  return thread
end

local function unwrap(thread, ok, ...)
  if ok then
    return ...
  end
  if status(thread) == "dead" then
    close(thread)
  end
  error((...), 0)
end

local function located(thread, ok, ...)
  if ok then
    return ok, ...
  end
  return ok, placed((...), thread)
end

guard.coroutine = {
  create = new,
  resume = function(thread, ...)
    return checked(located(thread, go_on(thread, ...)))
  end,
  close = function(thread)
    return checked(close(thread))
  end,
  wrap = function(f)
    local thread = new(f)
    return function(...)
      return unwrap(thread, checked(located(thread, go_on(thread, ...))))
    end
  end,
  isyieldable = kit.coroutine.isyieldable,
  running = kit.coroutine.running,
  status = status,
  yield = kit.coroutine.yield,
}

function guard.setmetatable(object, meta)
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    error("__gc is not available in the sandbox", 2)
  end
  return setmetatable(object, meta)
end

local function read_all(reader)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then
      return concat(pieces)
    end
    if type(piece) ~= "string" then
      error("reader function must return a string", 0)
    end
    pieces[#pieces + 1] = piece
  end
end

-- Text only: bytecode can crash the interpreter.
function guard.load(environment)
  return function(chunk, name, mode, ...)
    if type(chunk) == "function" then
      local ok, source = guard.pcall(read_all, chunk)
      if not ok then
        return nil, source
      end
      chunk, name = source, name or "=(load)"
    end
    if type(mode) == "string" and not find(mode, "t", 1, true) then
      return nil, "attempt to load a text chunk (mode is '" .. mode .. "')"
    end
    local env = environment
    if select("#", ...) > 0 then
      env = (...)
    end
    return load(chunk, name, "t", env)
  end
end

return guard
