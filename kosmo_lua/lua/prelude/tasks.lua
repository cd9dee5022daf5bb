-- Tasks: functions that run in turn, each in a coroutine of its own. While one waits for a call, the others go on.
--
--   run(next_function, limit, finished, failed) -> runs the functions, at most `limit` at once, to their end
--   collect(number, operation, handle)          -> what a submitted call has returned, once it has ended
--   submits()                                   -> whether a call made here should be submitted, to be collected
--   number_of(...)                              -> the number that the host has answered
--   reset()                                     -> forgets everything
--
-- A task is { thread, group, waiting, queued, batch }. A group is the tasks of one `run`, which may itself be run by a
-- task: `group.outer`. When a call ends, its task is woken, and with it every task around.

local kit = ...
local answer, failure, guard, host, scope = kit.answer, kit.failure, kit.guard, kit.host, kit.scope
local error, rawequal, setmetatable = kit.error, kit.rawequal, kit.setmetatable
local pack, status = kit.table.pack, kit.coroutine.status
local close, isyieldable, resume = kit.coroutine.close, kit.coroutine.isyieldable, kit.coroutine.resume
local running, yield = kit.coroutine.running, kit.coroutine.yield
local receive, read = answer.receive, answer.read

local WAIT = {}
local STOPPED = "parallel has stopped: another item failed"

local tasks = setmetatable({}, { __mode = "k" }) -- thread -> task
local owner = {} -- number of a call that is waited for -> task
local ended = {} -- number of a call that has ended and is not collected -> true
local groups = 0 -- how many are running: without any there is no task to look for

local function number_of(...)
  return read(receive(...))
end

-- The task that runs now, if it can wait: neither inside a function of C nor inside a coroutine of the script.
local function current()
  if groups == 0 or not isyieldable() then return nil end
  return tasks[running()]
end

local function wake(task)
  while task do
    local group = task.group
    if not task.queued then
      task.queued = true
      group.last = group.last + 1
      group.ready[group.last] = task
    end
    task = group.outer
  end
end

-- Waits until any call ends, and wakes who waits for it.
local function wait()
  local number = number_of(host("wait"))
  local task = owner[number]
  owner[number], ended[number] = nil, true
  wake(task)
end

local function suspend(task)
  task.waiting = true
  yield(WAIT)
  task.waiting = false
end

local function stopped(task)
  while task do
    if task.group.stopped then return true end
    task = task.group.outer
  end
end

local function await(number)
  local task = current()
  if not task then
    while not ended[number] do wait() end
    return
  end
  owner[number], task.number = task, number
  while not ended[number] do suspend(task) end
  task.number = nil
end

local function collect(number, operation, handle)
  await(number)
  ended[number] = nil
  return read(receive(host(operation or "collect", handle or number)))
end

local function submits()
  local task = current()
  if task and stopped(task) then failure.fail(STOPPED) end
  return task ~= nil
end

-- Lets a task run until it waits or ends.
local function step(task)
  local outer = scope.batch
  scope.batch = task.batch
  local results = pack(resume(task.thread))
  task.batch, scope.batch = scope.batch, outer
  return results
end

local function fail(group, task, problem)
  if failure.is_fatal(problem) then error(failure.OVER, 0) end
  if not group.failed(task.key, failure.placed(problem, task.thread)) then group.stopped = true end
end

local function go_on(group, task)
  local results = step(task)
  local alive = status(task.thread) == "suspended"
  if alive and task.waiting and rawequal(results[2], WAIT) then return end
  group.running = group.running - 1
  tasks[task.thread] = nil
  if alive then
    close(task.thread)
    fail(group, task, "attempt to yield from outside a coroutine")
  elseif results[1] then
    group.finished(task.key, results[2])
  else
    fail(group, task, results[2])
  end
end

-- A task of a group that has stopped does not go on, unless tasks of its own must end first.
local function drop(group, task)
  if task.inner and task.inner.running > 0 then return go_on(group, task) end
  group.running = group.running - 1
  tasks[task.thread] = nil
  if task.number then
    ended[task.number] = nil
    host("collect", task.number)
  end
  local ok, problem = close(task.thread)
  if not ok and failure.is_fatal(problem) then error(failure.OVER, 0) end
end

local function start(group, key, f, ...)
  local values = pack(...)
  local thread = guard.coroutine.create(function()
    return f(kit.table.unpack(values, 1, values.n))
  end)
  local task = { thread = thread, group = group, key = key, batch = scope.batch }
  tasks[thread] = task
  group.running = group.running + 1
  go_on(group, task)
end

local function next_ready(group)
  local task = group.ready[group.first]
  if not task then return nil end
  group.ready[group.first] = nil
  group.first = group.first + 1
  task.queued = false
  if tasks[task.thread] then return task end
  return next_ready(group)
end

local function advance(group, me)
  local task = next_ready(group)
  if task then
    return (group.stopped and drop or go_on)(group, task)
  end
  if me then return suspend(me) end
  wait()
end

local counted = {
  __close = function()
    groups = groups - 1
  end,
}

local function run(next_function, limit, finished, failed)
  local me = current()
  local group = { limit = limit, finished = finished, failed = failed, running = 0, outer = me, ready = {}, first = 1, last = 0 }
  if me then me.inner = group end
  groups = groups + 1
  local _ <close> = setmetatable({}, counted)
  local more = true
  while more or group.running > 0 do
    if me and stopped(me) then group.stopped = true end
    if group.stopped then more = false end
    if more and group.running < limit then
      more = next_function(function(...) start(group, ...) end)
    elseif group.running > 0 then
      advance(group, me)
    end
  end
  if me then me.inner = nil end
  if me and stopped(me) then failure.fail(STOPPED) end
end

-- Forgets what the last script has left behind.
local function reset()
  tasks, owner, ended, groups = setmetatable({}, { __mode = "k" }), {}, {}, 0
end

return { reset = reset, run = run, collect = collect, submits = submits, number_of = number_of }
