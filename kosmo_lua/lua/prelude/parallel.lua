-- The globals `parallel` and `batch`.

local kit = ...
local answer, failure, host, json, scope, tasks = kit.answer, kit.failure, kit.host, kit.json, kit.scope, kit.tasks
local error, next = kit.error, kit.next
local setmetatable, type = kit.setmetatable, kit.type
local read, receive = answer.read, answer.receive

local check, integer, one_of = kit.options.check, kit.options.integer, kit.options.one_of

local LIMIT, MOST = 16, 256 -- calls at once: by default, and at most

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

-- Runs all tasks and returns their results by key, and the errors that were collected.
local function run_all(options, next_task)
  local results, errors, stopping, first = {}, {}, options.on_error ~= "collect", nil
  local function finished(key, value)
    results[key] = value_or_null(value)
  end
  local function failed(key, problem)
    problem = failure.of_item(problem, key)
    if stopping then
      first = { problem }
      return false
    end
    results[key] = json.null
    errors[#errors + 1] = { item = key, error = problem }
    return true
  end
  tasks.run(next_task, options.limit or LIMIT, finished, failed)
  if first then error(first[1], 0) end
  if stopping then return results end
  return results, json.array(errors)
end

-- The items of a list, or what an iterator gives.
local function each(items)
  if type(items) == "function" then return items end
  if type(items) ~= "table" or kit.rawequal(items, json.null) then
    failure.fail("parallel.map: it takes a list or an iterator, got " .. json.described(items))
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
  local next_item, index = each(items), 0
  local results, errors = run_all(options, function()
    local item = next_item()
    if item == nil then return nil end
    index = index + 1
    return index, f, item, index
  end)
  json.array(results)
  if errors then return results, errors end
  return results
end

local function before(a, b)
  if type(a) ~= type(b) then return type(a) < type(b) end
  return (type(a) == "number" or type(a) == "string") and a < b
end

-- A copy of the functions, and their keys in an order that is the same in every run, as far as keys have one.
local function checked_functions(functions)
  local keys, copy = {}, {}
  for key, f in next, functions do
    if type(f) ~= "function" then
      failure.fail("parallel.all: " .. kit.text.show(key) .. " must be a function, got " .. json.described(f))
    end
    keys[#keys + 1] = key
    copy[key] = f
  end
  kit.table.sort(keys, before)
  return copy, keys
end

function parallel.all(functions, options)
  if type(functions) ~= "table" or kit.rawequal(functions, json.null) then
    failure.fail("parallel.all: it takes a table of functions, got " .. json.described(functions))
  end
  local copy, keys = checked_functions(functions)
  options = check("parallel.all", options, options_of_parallel)
  local index = 0
  return run_all(options, function()
    index = index + 1
    return keys[index], copy[keys[index]]
  end)
end

---------------------------------------------------------------------------------------------------------- batch

local options_of_batch = {
  size = integer(1, 1000000),
  concurrency = integer(1, 64),
  on_error = one_of("report", "raise"),
}

-- What was queued goes out when its function has ended, in whatever way; unless the run is over, or another script runs.
local function deliver(self, problem)
  scope.batch = self.outer
  if failure.fatal or failure.is_fatal(problem) then return end
  if not scope.open[self] then failure.fail("batch: it was ended with the script that began it") end
  scope.open[self] = nil
  self.report = read(receive(host("deliver", self.handle)))
end

local delivered = { __close = deliver }

local function gather(f, state)
  local _ <close> = setmetatable(state, delivered)
  scope.batch, scope.used, scope.open[state] = state, true, true
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
  local state = { outer = scope.batch, handle = receive(host("gather", wanted)) }
  local results = gather(f, state)
  local report = state.report
  if options.on_error == "raise" and not json.planned[report] and report.accepted < report.queued then
    raise(report)
  end
  return report, kit.table.unpack(results, 1, results.n)
end

return { parallel = parallel, batch = batch }
