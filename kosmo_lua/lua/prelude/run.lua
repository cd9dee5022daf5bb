-- Runs a script: compiles it, calls it under the limits, and hands its result or its error to the host.
-- With `show` it is a line of somebody at a terminal: its values are printed, and it has no result.

local kit = ...
local bridge, failure, host, json, text = kit.bridge, kit.failure, kit.host, kit.json, kit.text
local find, sub = kit.string.find, kit.string.sub
local concat, error, load, pack, unpack, xpcall = kit.table.concat, kit.error, kit.load, kit.table.pack, kit.table.unpack, kit.xpcall

-- No result is nil, one is itself, several are a list.
local function single(results)
  if results.n <= 1 then
    return results[1]
  end
  for index = 1, results.n do
    if results[index] == nil then
      results[index] = json.null
    end
  end
  results.n = nil
  return json.array(results)
end

local function over()
  failure.stop("result_limit")
end

local function print_all(values)
  for index = 1, values.n do
    values[index] = text.show(values[index])
  end
  if values.n > 0 then
    bridge.receive(host("print", concat(values, "\t", 1, values.n)))
  end
end

-- What somebody types may be an expression, too.
local function compile(environment, code, name, show)
  local expression = show and load("return " .. code, name, "t", environment)
  if expression then
    return expression
  end
  return load(code, name, "t", environment)
end

-- Within the limits: the compiler, which may take minutes and gigabytes, the script, and then the conversion of its
-- result, which may run its metamethods. A third value is why the script is no Lua.
local function body(environment, code, name, arguments, show)
  local limit = host("start")
  failure.result_limit = limit
  local main_chunk, problem = compile(environment, code, name, show)
  if not main_chunk then
    if failure.is_fatal(problem) then
      error(failure.OVER, 0)
    end
    return nil, nil, problem
  end
  local results = pack(main_chunk(unpack(arguments)))
  if show then
    print_all(results)
    return "null"
  end
  local result = single(results)
  local _, written, warnings = json.encode_result(result, limit, over)
  return written, warnings
end

local function report(details)
  local _, written = json.encode(details, { lenient = true })
  host("end", false, written)
end

local seeded = false

local function run(environment, code, name, arguments, show)
  failure.reset()
  kit.tasks.reset()
  kit.scope.batch, kit.scope.used, kit.scope.open, kit.scope.run = nil, nil, {}, {}
  if not seeded then
    kit.math.randomseed(host("seed"))
    seeded = true
  end
  if not find(code, "\n", 1, true) then
    failure.only_line = sub(name, 2)
  end
  local _, given = json.decode(arguments)
  given[0] = sub(name, 2)
  environment.arg = given
  local ok, result, warnings, problem = xpcall(body, failure.describe, environment, code, name, given, show)
  host("stop")
  -- Out of memory reaches no message handler, so it is noticed here at the latest.
  if failure.fatal or (not ok and failure.is_fatal(result)) then
    return report(failure.fatal)
  end
  if not ok then
    return report(failure.report(result))
  end
  if problem then
    return report({ type = "syntax", message = problem })
  end
  local _, notes = json.encode(warnings or {}, { lenient = true })
  host("end", true, result, notes)
end

-- Reports a script that the hook has ended: then it raised an error in `run` as well.
local function finish()
  host("stop")
  return report(failure.fatal or { limit = host("reason") })
end

return { run = run, finish = finish }
