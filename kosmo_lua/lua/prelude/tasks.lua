-- Tasks: functions that run in turn, each in a coroutine of its own. While one waits for a call, the others go on.
--
--   run(next_task, limit, finished, failed) -> runs tasks, at most `limit` at once, until all have ended
--   submits()     -> whether a call made here should be submitted, to be collected
--   collect(n)    -> what the submitted call of this number has returned, once it has ended; or raises
--   await(n)      -> returns once it has ended
--   settled(n)    -> nobody will ask for it again
--   hold()        -> from here on the task that runs blocks the others; returns what `release` takes
--   reset()       -> forgets everything
--
-- A group is the tasks of one `run`, which may itself be called by a task: `group.outer`. When `run` is left, in
-- whatever way, its tasks have ended: those that had not by themselves are closed once their calls have ended. So a
-- group inside a closed task is closed with it, and a group that has failed needs nothing else.

local kit = ...
local answer, failure, guard, host, scope = kit.answer, kit.failure, kit.guard, kit.host, kit.scope
local error, rawequal, setmetatable = kit.error, kit.rawequal, kit.setmetatable
local close, create, isyieldable = kit.coroutine.close, guard.coroutine.create, kit.coroutine.isyieldable
local resume, running, status, yield = kit.coroutine.resume, kit.coroutine.running, kit.coroutine.status, kit.coroutine.yield
local receive, read, whole = answer.receive, answer.read, answer.whole

local tasks = setmetatable({}, { __mode = "k" }) -- thread -> task
local waiters = {} -- number of a call -> the task that waits for it, and `beside` it others
local ended = {} -- number of a call that has ended and is not collected -> its outcome, as far as that was told
local groups = 0 -- how many are running: without any there is no task to look for

-- The task that runs now, if it can give way: neither inside a function of C nor inside a coroutine of the script.
local function current()
  if groups == 0 or not isyieldable() then return nil end
  local task = tasks[running()]
  return task and not task.held and task or nil
end

------------------------------------------------------------------------------------------------------- waiting

-- Lets a task go on, and with it every task around it.
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

-- Blocks until any call ends, and wakes who waits for it. What it has come to is received by the task that has made it:
-- a failure, or an answer that is no value, is not for the one that waits.
local function wait()
  local ok, payload, number = host("wait")
  if not number then receive(ok, payload) end
  local found, task = {}, waiters[number]
  found.ok, found.payload = whole(ok, payload)
  ended[number], waiters[number] = found, nil
  while task do
    local beside = task.beside
    task.number, task.beside = nil, nil
    wake(task)
    task = beside
  end
end

-- Gives way. Another coroutine may resume the task too early, so what it waits for is to be looked at again.
local function suspend(task)
  task.waiting = true
  yield()
  task.waiting = nil
end

local function await(number)
  local task = current()
  if not task then
    while not ended[number] do wait() end
  elseif not ended[number] then
    task.number, task.beside, waiters[number] = number, waiters[number], task
    while task.number do suspend(task) end
  end
end

-- Forgets a call that is not collected by its number. Nobody waits for it any more.
local function settled(number)
  ended[number] = nil
end

local function submits()
  return current() ~= nil
end

local function collect(number)
  local task = current()
  if task then task.call = number end
  await(number)
  if task then task.call = nil end
  local found = ended[number]
  ended[number] = nil
  if not found.payload then return read(receive(host("collect", number))) end
  return read(receive(found.ok, found.payload))
end

local function hold()
  local task = tasks[running()]
  if task then task.held = (task.held or 0) + 1 end
  return task
end

local function release(task)
  if task then task.held = task.held > 1 and task.held - 1 or nil end
end

--------------------------------------------------------------------------------------------------------- running

-- Runs what a task has to close. Returns an error of that, or else the error that has ended it.
local function close_thread(task)
  local ok, problem = close(task.thread)
  if not ok and failure.is_fatal(problem) then error(failure.OVER, 0) end
  return ok, problem
end

-- From here on a task is a coroutine like any other. Nobody collects its call, if it has one.
local function remove(task)
  local group = task.group
  tasks[task.thread], group.alive[task.place] = nil, nil
  group.running = group.running - 1
  if task.call then
    ended[task.call] = nil
    host("forget", task.call)
  end
end

-- Ends a task before its time, but not before its call.
local function abandon(task)
  if task.number then await(task.number) end
  remove(task)
  close_thread(task)
end

local function fail(task, problem)
  if failure.is_fatal(problem) then error(failure.OVER, 0) end
  local placed = failure.placed(problem, task.thread)
  local ok, last = close_thread(task)
  if not ok and not rawequal(last, problem) then placed = last end
  if not task.group.failed(task.key, placed) then task.group.over = true end
end

-- Looks at what a task has come to when it was resumed.
local function settle(task, outer, ok, value)
  task.batch, scope.batch = scope.batch, outer
  local alive = status(task.thread) == "suspended"
  if alive and task.waiting then return end
  remove(task)
  if alive then
    fail(task, failure.prefix(task.thread) .. "attempt to yield out of parallel")
  elseif ok then
    task.group.finished(task.key, value)
  else
    fail(task, value)
  end
end

-- Lets a task run until it waits or ends.
local function go_on(task, ...)
  local outer = scope.batch
  scope.batch = task.batch
  settle(task, outer, resume(task.thread, ...))
end

-- Starts the task that `next_task` has returned; returns false when it was none.
local function start(group, key, f, ...)
  if key == nil then return false end
  local place = group.started + 1
  local task = { thread = create(f), group = group, key = key, place = place, batch = scope.batch }
  tasks[task.thread], group.alive[place] = task, task
  group.started, group.running = place, group.running + 1
  go_on(task, ...)
  return true
end

local function next_ready(group)
  local task = group.ready[group.first]
  if not task then return nil end
  group.ready[group.first] = nil
  group.first = group.first + 1
  task.queued = nil
  if tasks[task.thread] then return task end
  return next_ready(group)
end

local function advance(group, me)
  local task = next_ready(group)
  if task then
    go_on(task)
  elseif me then
    suspend(me)
  else
    wait()
  end
end

local left = {
  __close = function(group, problem)
    groups = groups - 1
    if group.running == 0 or failure.fatal or failure.is_fatal(problem) then return end
    for place = 1, group.started do
      local task = group.alive[place]
      if task then abandon(task) end
    end
  end,
}

-- `next_task` returns a key, a function and its arguments, or nil after the last one. `finished` gets the key and the
-- result of each, `failed` the key and the error; it returns whether to go on.
local function run(next_task, limit, finished, failed)
  local me = current()
  local group <close> = setmetatable({
    outer = me, finished = finished, failed = failed,
    alive = {}, started = 0, running = 0, -- tasks by the order in which they were started; how many, and how many have not ended
    ready = {}, first = 1, last = 0, -- a queue of those that can go on
  }, left)
  groups = groups + 1
  local more = true
  while not group.over and (more or group.running > 0) do
    if more and group.running < limit then
      more = start(group, next_task())
    else
      advance(group, me)
    end
  end
end

-- Forgets what the last script has left behind.
local function reset()
  tasks, waiters, ended, groups = setmetatable({}, { __mode = "k" }), {}, {}, 0
end

return {
  await = await, collect = collect, hold = hold,
  release = release, reset = reset, run = run, settled = settled, submits = submits,
}
