-- The globals `parallel` and `batch`.

local kit = ...
local answer, failure, host, json, scope, tasks = kit.answer, kit.failure, kit.host, kit.json, kit.scope, kit.tasks
local error, math_type, next, select = kit.error, kit.math.type, kit.next, kit.select
local setmetatable, type = kit.setmetatable, kit.type
local read, receive = answer.read, answer.receive

local LIMIT, MOST = 16, 256 -- calls at once: by default, and at most

-- Checks the options of a function: `known` maps each to a function that says what it must be, if it is not.
local function check(name, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then failure.fail(name .. ": the options must be a table, got " .. json.described(options)) end
  for key, value in next, options do
    local problem = known[key]
    if not problem then failure.fail(name .. ": unknown option " .. kit.text.show(key)) end
    local wanted = problem(value)
    if wanted then failure.fail(name .. ": " .. key .. " must be " .. wanted .. ", got " .. json.described(value)) end
  end
  return options
end

local function integer(lowest, highest)
  return function(value)
    if math_type(value) == "integer" and value >= lowest and value <= highest then return nil end
    return "a whole number from " .. lowest .. " to " .. highest
  end
end

local function one_of(a, b)
  return function(value)
    if value ~= a and value ~= b then return '"' .. a .. '" or "' .. b .. '"' end
  end
end

local function check_function(name, f)
  if type(f) ~= "function" then failure.fail(name .. ": it takes a function, got " .. json.described(f)) end
end

------------------------------------------------------------------------------------------------------- parallel

local parallel = {}
local options_of_parallel = { limit = integer(1, MOST), on_error = one_of("stop", "collect") }

local function value_or_null(value)
  if value == nil then return json.null end
  return value
end

-- Runs all functions and returns their results by key, and the errors that were collected.
local function run_all(options, next_function)
  local results, errors, stopping, first = {}, {}, options.on_error ~= "collect", nil
  local function finished(key, value)
    results[key] = value_or_null(value)
  end
  local function failed(key, problem)
    problem = failure.of_item(problem, key)
    if stopping then
      first = first or { problem }
      return false
    end
    results[key] = json.null
    errors[#errors + 1] = { item = key, error = problem }
    return true
  end
  tasks.run(next_function, options.limit or LIMIT, finished, failed)
  if first then error(first[1], 0) end
  if stopping then return results end
  return results, json.array(errors)
end

-- The items of a list, or what an iterator gives.
local function each(name, items)
  if type(items) == "function" then return items end
  if type(items) ~= "table" or kit.rawequal(items, json.null) then
    failure.fail(name .. ": it takes a list or an iterator, got " .. json.described(items))
  end
  local index = 0
  return function()
    index = index + 1
    return items[index]
  end
end

function parallel.map(items, f, options)
  check_function("parallel.map", f)
  options = check("parallel.map", options, options_of_parallel)
  local next_item, index = each("parallel.map", items), 0
  local results = { run_all(options, function(start)
    local item = next_item()
    if item == nil then return false end
    index = index + 1
    start(index, f, item, index)
    return true
  end) }
  json.array(results[1])
  return kit.table.unpack(results)
end

function parallel.all(functions, options)
  if type(functions) ~= "table" or kit.rawequal(functions, json.null) then
    failure.fail("parallel.all: it takes a table of functions, got " .. json.described(functions))
  end
  for key, f in next, functions do
    if type(f) ~= "function" then
      failure.fail("parallel.all: " .. kit.text.show(key) .. " must be a function, got " .. json.described(f))
    end
  end
  options = check("parallel.all", options, options_of_parallel)
  local key, f
  return run_all(options, function(start)
    key, f = next(functions, key)
    if key == nil then return false end
    start(key, f)
    return true
  end)
end

---------------------------------------------------------------------------------------------------------- batch

local options_of_batch = {
  size = integer(1, 1000000),
  concurrency = integer(1, 64),
  on_error = one_of("report", "raise"),
}

-- What was queued goes out when its function has ended, in whatever way; unless the run is over.
local function deliver(self, problem)
  scope.batch, scope.open[self.handle] = self.outer, nil
  if failure.fatal or failure.is_fatal(problem) then return end
  self.report = read(receive(host("deliver", self.handle)))
end

local delivered = { __close = deliver }

local function gather(f, state)
  local _ <close> = setmetatable(state, delivered)
  scope.batch, scope.used, scope.open[state.handle] = state.handle, true, true
  return kit.table.pack(f())
end

local function raise(report)
  local _, payload = json.encode({
    code = "partial",
    message = report.queued - report.accepted .. " of " .. report.queued .. " events were not accepted",
    hint = "err.details has the report: which and why.",
    retryable = false,
    effect = report.unknown > 0 and "unknown" or "sent",
    details = report,
  })
  failure.raise(payload)
end

local function batch(...)
  local f, options = ...
  check_function("batch", f)
  options = check("batch", options, options_of_batch)
  local _, wanted = json.encode(json.object({ size = options.size, concurrency = options.concurrency }))
  local state = { outer = scope.batch, handle = tasks.number_of(host("gather", wanted)) }
  local results = gather(f, state)
  local report = state.report
  if options.on_error == "raise" and not json.planned[report] and report.accepted < report.queued then
    raise(report)
  end
  return report, kit.table.unpack(results, 1, results.n)
end

return { parallel = parallel, batch = batch }
