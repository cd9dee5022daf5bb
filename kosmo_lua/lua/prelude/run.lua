-- Runs a script: compiles it, calls it under the limits, and hands its result or its error to the host.

local kit = ...
local failure, host, json = kit.failure, kit.host, kit.json
local find, sub = kit.string.find, kit.string.sub
local load, pack, unpack, xpcall = kit.load, kit.table.pack, kit.table.unpack, kit.xpcall

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

-- Within the limits: the script, and then the conversion of its result, which may run its metamethods.
local function body(main_chunk, arguments)
  local limit = host("start")
  local result = single(pack(main_chunk(unpack(arguments))))
  local _, written, warnings = json.encode_result(result, limit, over)
  return written, warnings
end

local function report(details)
  local _, written = json.encode(details, { lenient = true })
  host("end", false, written)
end

local function run(environment, code, name, arguments)
  local script, problem = load(code, name, "t", environment)
  if not script then
    return report({ type = "syntax", message = problem })
  end
  if not find(code, "\n", 1, true) then
    failure.only_line = sub(name, 2)
  end
  local _, given = json.decode(arguments)
  given[0] = sub(name, 2)
  environment.arg = given
  local ok, result, warnings = xpcall(body, failure.describe, script, given)
  host("stop")
  -- Out of memory reaches no message handler, so it is noticed here at the latest.
  if failure.fatal or (not ok and failure.is_fatal(result)) then
    return report(failure.fatal)
  end
  if not ok then
    return report(failure.report(result))
  end
  local _, notes = json.encode(warnings, { lenient = true })
  host("end", true, result, notes)
end

-- Reports a script that the hook has ended: then it raised an error in `run` as well.
local function finish()
  host("stop")
  return report(failure.fatal or { limit = host("reason") })
end

return { run = run, finish = finish }
