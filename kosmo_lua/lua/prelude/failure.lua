-- Errors: the error tables of failed calls, where in the script they happened, and the account that an
-- uncaught error gives of itself.

local kit = ...
local json, text = kit.json, kit.text
local byte, find, gmatch, gsub = kit.string.byte, kit.string.find, kit.string.gmatch, kit.string.gsub
local match, sub = kit.string.match, kit.string.sub
local concat, error, getinfo, getmetatable = kit.table.concat, kit.error, kit.getinfo, kit.getmetatable
local host, pcall, rawget, rawequal, setmetatable = kit.host, kit.pcall, kit.rawget, kit.rawequal, kit.setmetatable
local to_integer, traceback, type = kit.math.tointeger, kit.traceback, kit.type

local HOST = "=[kosmo]"
local LONGEST = 65536

-- What is thrown to end a run. Scripts may meet it in a __close, so it says nothing; `failure.fatal` is the report.
local OVER = "the run is over"

local failure = { fatal = nil, OVER = OVER }
local origin = setmetatable({}, { __mode = "k" })

-- Where the script is: the file and the line of its innermost frame. A tail call (`return f{}`) drops that
-- frame; then it is still known in a script of one line, whose name is `failure.only_line`, and nil in others.
-- `thread`: where a coroutine is that an error has ended.
local function position(thread)
  local level = thread and 0 or 2
  while true do
    local info
    if thread then
      info = getinfo(thread, level, "Sl")
    else
      info = getinfo(level, "Sl")
    end
    if not info then
      return failure.only_line, failure.only_line and 1
    end
    if info.source ~= HOST and info.what ~= "C" then
      return info.short_src, info.currentline
    end
    level = level + 1
  end
end

local function prefix(thread)
  local file, line = position(thread)
  if thread and not file then
    file, line = position()
  end
  return file and file .. ":" .. line .. ": " or ""
end
failure.prefix = prefix

-- Lua's own functions, called by our wrappers, name our line in their errors: it becomes the script's.
function failure.placed(problem, thread)
  local message = type(problem) == "string" and match(problem, "^%[kosmo%]:%d+: (.*)$")
  return message and prefix(thread) .. message or problem
end

-- Raises a script error with the position of the script's own line.
function failure.fail(message)
  error(prefix() .. message, 0)
end

local error_table = { __metatable = false }

function error_table.__tostring(problem)
  local file, line = rawget(problem, "file"), rawget(problem, "line")
  local where = file and text.show(file) .. ":" .. text.show(line) .. ": " or ""
  return where .. text.show(rawget(problem, "message"))
end

function error_table.__concat(left, right)
  return text.show(left) .. text.show(right)
end

function error_table.__len(problem)
  return #error_table.__tostring(problem)
end

-- `err:match("...")` and the like work on the sentence.
function error_table.__index(_, name)
  local method = failure.methods[name]
  return method and function(problem, ...)
    return method(text.show(problem), ...)
  end
end

-- Says in an error of `parallel` which item failed; an error value of the script's own stays what it is. A tail call
-- (`return f{}`), of which a task often consists, has no line: then it is that of `parallel`.
function failure.of_item(problem, key)
  local item = "item " .. text.show(key) .. ": "
  local known = origin[problem]
  if known then
    problem.item = key
    problem.message = item .. text.show(rawget(problem, "message"))
    if not known.file then
      known.file, known.line = position()
      problem.file, problem.line = known.file, known.line
    end
  elseif type(problem) == "string" then
    local where, what = match(problem, "^([^\n]-:%d+: )(.*)$")
    return (where or "") .. item .. (what or problem)
  end
  return problem
end

-- Raises what the host answered, as an error table with the script's position.
function failure.raise(payload)
  local _, problem = json.decode(payload)
  problem.file, problem.line = position()
  origin[problem] = { facts = payload, file = problem.file, line = problem.line }
  error(setmetatable(problem, error_table), 0)
end

-- Whether an error ends the run: out of memory, or a limit whose hook has fired. Remembers the first one.
-- "\3" is how the hook's error ends; a script may raise that too, so the host is asked.
local function fatal(problem)
  if failure.fatal then
    return true
  end
  if type(problem) ~= "string" then
    return false
  end
  local limit
  if problem == "not enough memory" then
    limit = "memory_limit"
    host("relax")
  elseif byte(problem, -1) == 3 then
    limit = host("reason")
  end
  if not limit then
    return false
  end
  failure.fatal = { limit = limit }
  failure.fatal.file, failure.fatal.line = position()
  return true
end
failure.is_fatal = fatal

-- Ends the run because of a limit that the host found exceeded, or of `what` is needed of what a function returns.
function failure.stop(limit, what, name)
  failure.fatal = { limit = limit, what = what, ["function"] = name }
  failure.fatal.file, failure.fatal.line = position()
  error(OVER, 0)
end

-- Nothing more is sent once the run is over: a __close of the script may still be running.
function failure.check()
  if failure.fatal then
    error(OVER, 0)
  end
end

-- A traceback without the frames of the host.
function failure.hide(trace)
  local shown, hidden = {}, true
  for line in gmatch(trace, "[^\n]+") do
    local ours = find(line, "^\t%[kosmo%]") or find(line, "^\t%[C%]: in upvalue '")
    if not (ours or hidden and find(line, "^\t%(%.%.%.tail")) then
      shown[#shown + 1] = (gsub(line, "in local 'main_chunk'$", "in main chunk"))
    end
    hidden = ours
  end
  return concat(shown, "\n")
end

local function shorten(message)
  return #message <= LONGEST and message or sub(message, 1, LONGEST) .. "..."
end

-- What an error table of the script's own says: its message, else the table as it prints.
local function message_of(problem)
  local meta = getmetatable(problem)
  if type(problem) == "table" and not (meta and rawget(meta, "__tostring")) then
    local message = rawget(problem, "message")
    if type(message) == "string" then
      return message
    end
  end
  return text.show(problem)
end

local TOO_LARGE = {}

-- The fields of an error table, as far as a result could be as large.
local function details_of(problem)
  local ok, written, text = pcall(json.encode_result, problem, failure.result_limit, function()
    error(TOO_LARGE, 0)
  end)
  if not ok and not rawequal(written, TOO_LARGE) then
    error(written, 0)
  end
  return ok and text or nil
end

local function account(problem)
  local file, line = position()
  local report = { type = "runtime", file = file, line = line }
  report.traceback = shorten(failure.hide(traceback()))
  if origin[problem] then
    local known = origin[problem]
    report.origin, report.file, report.line = known.facts, known.file, known.line
    report.message = shorten(error_table.__tostring(problem))
  elseif type(problem) == "string" then
    report.message = shorten(failure.placed(problem))
    local at, number = match(report.message, "^([^\n]-):(%d+): ")
    if at then
      report.file, report.line = at, to_integer(number)
    end
  else
    local where = file and file .. ":" .. line .. ": " or ""
    report.message = shorten(where .. message_of(problem))
    if type(problem) == "table" then
      report.details = details_of(problem)
    end
  end
  return report
end

local described = {}

-- Forgets what ended the last script.
function failure.reset()
  failure.fatal, failure.only_line, described = nil, nil, {}
end

-- The message handler of the whole run: describes the error while the stack still shows where it was. The
-- error itself goes on, to the script's __close metamethods.
function failure.describe(problem)
  if fatal(problem) then
    return OVER
  end
  local ok, report = pcall(account, problem)
  if ok then
    described = { problem = problem, report = report }
    return problem
  end
  return fatal(report) and OVER or problem
end

-- The description of the error with which the run ended.
function failure.report(problem)
  local same = rawequal(problem, described.problem) or problem ~= problem -- NaN
  if same and described.report then
    return described.report
  end
  return { type = "runtime", message = type(problem) == "string" and problem or "error in error handling" }
end

return failure
