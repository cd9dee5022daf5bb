"""Scripts that try to break the sandbox, each with what must become of it. The table only grows.

A way around a limit or out of the sandbox that is found anywhere is added here with its reason, and stays.
"""

from typing import NamedTuple

from kosmo_lua.values import Json


class Attack(NamedTuple):
    """A script, why it is here, and its outcome: an error of one of the types (`a|b`), or its result."""

    name: str
    reason: str
    code: str
    error: str = ""
    result: Json = None
    in_c: bool = False
    """It stays in one C function, where only the end of the process stops it: not in a thread."""


TIME = [
    Attack("loop", "The plain case.", "while true do end", "cpu_limit"),
    Attack("goto", "A loop without a loop statement.", "::again:: goto again", "cpu_limit"),
    Attack(
        "tail-calls",
        "Endless without a stack.",
        "local function f() return f() end f()",
        "cpu_limit",
    ),
    Attack(
        "pcall-catches",
        "A limit is an error in Lua's eyes, and pcall catches errors.",
        "while true do pcall(function() while true do end end) end",
        "cpu_limit",
    ),
    Attack(
        "pcall-nested",
        "Every level of protection must let it through.",
        "local function f() pcall(f) while true do end end f()",
        "cpu_limit",
    ),
    Attack(
        "pcall-of-pcall",
        "pcall as its own argument.",
        "while true do pcall(pcall, pcall, error) end",
        "cpu_limit",
    ),
    Attack(
        "xpcall-handler",
        "Hooks are off in the handler of an error that a hook has raised.",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "cpu_limit",
    ),
    Attack(
        "handler-of-plain-error",
        "The handler runs before the stack unwinds.",
        'xpcall(error, function() while true do end end, "x")',
        "cpu_limit",
    ),
    Attack(
        "coroutine-wrap",
        "A hook belongs to one coroutine.",
        "coroutine.wrap(function() while true do end end)()",
        "cpu_limit",
    ),
    Attack(
        "coroutine-resume",
        "resume catches errors as pcall does.",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "cpu_limit",
    ),
    Attack(
        "coroutine-churn",
        "A new coroutine each time starts every counter anew.",
        "while true do coroutine.wrap(function() end)() end",
        "cpu_limit",
    ),
    Attack(
        "coroutines-nested",
        "Only the innermost one runs.",
        "local function f(n) if n == 0 then while true do end end coroutine.wrap(f)(n - 1) end f(20)",
        "cpu_limit",
    ),
    Attack(
        "coroutine-close",
        "close runs __close, and returns an error instead of raising it.",
        """
        local thread = coroutine.create(function()
          local x <close> = setmetatable({}, {__close = function() while true do end end})
          coroutine.yield()
        end)
        coroutine.resume(thread)
        coroutine.close(thread)
        """,
        "cpu_limit",
    ),
    Attack(
        "iterator",
        "The loop calls a coroutine.",
        "for _ in coroutine.wrap(function() while true do end end) do end",
        "cpu_limit",
    ),
    Attack(
        "close-after-limit",
        "What a script cleans up after the limit is limited too.",
        "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
        "cpu_limit",
    ),
    Attack(
        "metamethods",
        "Every operator may run script code.",
        "return setmetatable({}, {__index = function() while true do end end}).x",
        "cpu_limit",
    ),
    Attack(
        "tostring",
        "print calls __tostring on the host's behalf.",
        "print(setmetatable({}, {__tostring = function() while true do end end}))",
        "cpu_limit",
    ),
    Attack(
        "result-pairs",
        "The result is converted when the script has returned, and that runs __pairs.",
        "return setmetatable({}, {__pairs = function() while true do end end})",
        "cpu_limit",
    ),
    Attack(
        "argument-pairs",
        "The arguments of a call are converted too.",
        "app.integrations.segment.track(setmetatable({}, {__pairs = function() while true do end end}))",
        "cpu_limit",
    ),
    Attack(
        "sort-callback",
        "C code that calls back.",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "cpu_limit",
    ),
    Attack(
        "gsub-callback",
        "The same.",
        'string.gsub("x", "x", function() while true do end end)',
        "cpu_limit",
    ),
    Attack(
        "load-reader",
        "load catches the errors of its reader.",
        "while true do load(function() while true do end end) end",
        "cpu_limit",
    ),
    Attack(
        "heavy-instructions",
        "Few instructions that take long: no count of instructions stands for time.",
        'local s = ("x"):rep(4e6) while true do local t = s .. "y" end',
        "cpu_limit",
    ),
    Attack(
        "heavy-functions",
        "The same with C functions.",
        'while true do local s = ("x"):rep(4e6) end',
        "cpu_limit",
    ),
    Attack(
        "json",
        "The library that hosts brought along counts as the script.",
        'local s = "[" .. ("1,"):rep(1e5) .. "1]" while true do json.decode(s) end',
        "cpu_limit",
    ),
    Attack(
        "garbage",
        "Collecting on request would be work in C.",
        "local t = {} for i = 1, 1e5 do t[i] = {} end while true do collectgarbage() end",
        "cpu_limit",
    ),
    Attack(
        "pattern",
        "Backtracking in C: no hook is ever called.",
        'return (("a"):rep(300)):find(".-.-.-.-b")',
        "cpu_limit",
        in_c=True,
    ),
    Attack(
        "pattern-in-coroutine",
        "The same where no hook is set.",
        'coroutine.wrap(function() return (("a"):rep(300)):find(".-.-.-.-b") end)()',
        "cpu_limit",
        in_c=True,
    ),
    Attack(
        "rep-of-nothing",
        "A C loop that needs no memory.",
        'return ("").rep("", 1 << 62)',
        "cpu_limit",
        in_c=True,
    ),
    Attack(
        "move-forever",
        "table.move believes its arguments.",
        "table.move({}, 1, 1 << 60, 2)",
        "cpu_limit",
        in_c=True,
    ),
    Attack(
        "fake-length",
        "table.insert believes __len.",
        'table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, "x")',
        "cpu_limit",
        in_c=True,
    ),
    Attack(
        "concat-index",
        "table.concat over elements that a C function makes up.",
        'return table.concat(setmetatable({}, {__index = table.concat}), "", 1, 1 << 60)',
        "cpu_limit|memory_limit",
        in_c=True,
    ),
]

MEMORY = [
    Attack("one-string", "One big allocation.", 'return #("x"):rep(1e9)', "memory_limit"),
    Attack("doubling", "Few steps.", 'local s = "x" while true do s = s .. s end', "memory_limit"),
    Attack("tables", "Many small ones.", "local t = {} while true do t = {t} end", "memory_limit"),
    Attack(
        "pcall-catches-memory",
        "Out of memory is an error in Lua's eyes.",
        'while true do pcall(string.rep, "x", 1e9) end',
        "memory_limit",
    ),
    Attack(
        "handler-needs-memory",
        "The handler runs out of memory itself.",
        'xpcall(error, function() return ("x"):rep(1e9) end, "x")',
        "memory_limit",
    ),
    Attack(
        "coroutine-memory",
        "resume catches it.",
        'while true do coroutine.resume(coroutine.create(function() return ("x"):rep(1e9) end)) end',
        "memory_limit",
    ),
    Attack(
        "close-after-memory",
        "What is left for a report is no room to go on.",
        """
        local x <close> = setmetatable({}, {__close = function() local t = {} while true do t = {t} end end})
        return ("x"):rep(1e9)
        """,
        "memory_limit",
    ),
    Attack(
        "gsub-grows",
        "C code that makes much of little.",
        'return #(("x"):rep(1e6):gsub("x", ("y"):rep(1e4)))',
        "memory_limit",
    ),
    Attack(
        "arguments-grow",
        "A list of arguments, on the stack.",
        "local function f(...) return f(1, 1, 1, 1, 1, 1, 1, 1, ...) end f()",
        "memory_limit|runtime|cpu_limit",
    ),
    Attack(
        "recursion",
        "The usual mistake.",
        "local function f() return 1 + f() end return f()",
        "memory_limit|runtime",
    ),
    Attack(
        "recursion-in-c",
        "The C stack is smaller than Lua's.",
        'local function f() return (("x"):gsub("x", f)) end return f()',
        "runtime",
    ),
    Attack(
        "recursion-of-coroutines",
        "Each has a piece of the C stack.",
        "local function f() return coroutine.wrap(f)() end return f()",
        "runtime",
    ),
    Attack(
        "nested-source",
        "The compiler recurses.",
        'return load("return " .. ("("):rep(1e5))',
        result=[None, "C stack overflow"],
    ),
    Attack(
        "result-explodes",
        "A small graph is a huge tree.",
        "local t = {1} for i = 1, 60 do t = {t, t} end return t",
        "memory_limit|result_limit|cpu_limit",
    ),
    Attack(
        "output-flood",
        "What is printed lies outside Lua's memory.",
        'while true do print(("x"):rep(1e5)) end',
        "output_limit",
    ),
    Attack(
        "output-flood-caught",
        "The end of a run is not caught.",
        'while true do pcall(print, ("x"):rep(1e5)) end',
        "output_limit",
    ),
    Attack(
        "dump-shared",
        "What is printed explodes as a result does.",
        "local t = {1} for i = 1, 60 do t = {t, t} end dump(t)",
        "memory_limit|output_limit|cpu_limit",
    ),
    Attack(
        "huge-error",
        "A message is cut where it is reported.",
        'local ok, problem = pcall(error, ("x"):rep(5e6)) return #problem',
        result=5_000_000,
    ),
    Attack(
        "garbage-is-free",
        "What can be collected does not count.",
        'for i = 1, 40 do local s = ("x"):rep(1e6) .. i end return "done"',
        result="done",
    ),
    Attack(
        "long-name-is-cheap",
        "Looking for the name that was meant takes long, and is the host's work.",
        'return (pcall(app.integrations.segment[("tr"):rep(2e6)]))',
        result=False,
    ),
    Attack(
        "address-in-name",
        "A name of app that is no string.",
        "return {tostring(app[print]), tostring(app[string.rep])}",
        result=["app.function", "app.function"],
    ),
    Attack(
        "line-is-no-integer",
        "An error that looks as if it had a position.",
        'error("x:" .. ("9"):rep(400) .. ": y", 0)',
        error="runtime",
    ),
    Attack(
        "decode-bomb",
        "Nesting without end.",
        'return pcall(json.decode, ("["):rep(1e6))',
        result=[
            False,
            "eval:1: json.decode: line 1, column 513: nested too deep (more than 512 levels)",
        ],
    ),
    Attack(
        "encode-bomb",
        "The same the other way.",
        "local t = 1 for i = 1, 1e4 do t = {t} end return (pcall(json.encode, t))",
        result=False,
    ),
]

WAYS_OUT = [
    Attack("python", "lupa's door to Python.", "return python", result=None),
    Attack("python-eval", "The shortest escape there is.", 'python.eval("1")', "runtime"),
    Attack(
        "package", "package.loaded has everything.", "return package, require", result=[None, None]
    ),
    Attack("require", "The same.", 'require("os")', "runtime"),
    Attack("io", "Files.", "return io, dofile, loadfile", result=[None, None, None]),
    Attack(
        "os",
        "Only the clock of it is there.",
        "local names = {} for name in pairs(os) do names[name] = true end return names",
        result={"clock": True, "date": True, "difftime": True, "time": True},
    ),
    Attack("os-exit", "It would end the host.", "os.exit(0)", "runtime"),
    Attack("warn", "It writes to stderr.", "return warn", result=None),
    Attack(
        "debug",
        "Only traceback of it is there.",
        "local names = {} for name in pairs(debug) do names[#names + 1] = name end return names",
        result=["traceback"],
    ),
    Attack(
        "debug-traceback-replaced",
        "lupa looks for it in the real globals, unprotected, at each call.",
        'debug = {traceback = function() while true do end end} error("x")',
        "runtime",
    ),
    Attack(
        "globals-metatable",
        "The real globals are not the script's.",
        'setmetatable(_G, {__index = function() error("mine") end}) return 1',
        result=1,
    ),
    Attack(
        "bytecode-made", "Bytecode can crash the interpreter.", "return string.dump", result=None
    ),
    Attack("bytecode-method", "The same by a method.", 'return ("").dump', result=None),
    Attack(
        "bytecode-loaded",
        "Text only, whatever the mode says.",
        r'return load("\27Lua", "x", "b")',
        result=[None, "attempt to load a text chunk (mode is 'b')"],
    ),
    Attack(
        "bytecode-any-mode",
        "The default mode of Lua takes both.",
        r'return (load("\27Lua", "x", "bt"))',
        result=None,
    ),
    Attack(
        "bytecode-by-reader",
        "A reader hands it over in pieces.",
        r'local n = 0 return (load(function() n = n + 1 return ({"\27", "Lua"})[n] end))',
        result=None,
    ),
    Attack(
        "bytecode-err-methods",
        "The methods of an error table come from a table that has dump.",
        "local _, err = pcall(app.integrations.nosuch.call, {}) return (pcall(err.dump, print))",
        result=False,
    ),
    Attack(
        "load-default-env",
        "load gives the sandbox, not the real globals.",
        'return load("return _G")() == _G, load("return python")()',
        result=[True, None],
    ),
    Attack(
        "load-own-env",
        "It stays what Lua says.",
        'return load("return x", "c", "t", {x = 7})()',
        result=7,
    ),
    Attack(
        "load-nil-env",
        "An environment of nil is none, and not the default.",
        'return (pcall(load("return type", "c", "t", nil)))',
        result=False,
    ),
    Attack(
        "load-as-host",
        "A chunk that calls itself the host's gets nothing for it.",
        'return pcall(load("error(\'x\')", "=[kosmo]"))',
        result=[False, "eval:1: x"],
    ),
    Attack(
        "finalizer",
        "__gc runs with hooks off: nothing would stop it.",
        "return pcall(setmetatable, {}, {__gc = function() while true do end end})",
        result=[False, "__gc is not available in the sandbox"],
    ),
    Attack(
        "finalizer-later",
        "Set afterwards, Lua ignores it.",
        "local meta = {} setmetatable({}, meta) meta.__gc = function() while true do end end return 1",
        result=1,
    ),
    Attack(
        "finalizer-by-index",
        "The metatable's own __index is not asked.",
        "setmetatable({}, setmetatable({}, {__index = {__gc = function() while true do end end}})) return 1",
        result=1,
    ),
    Attack("string-metatable", "Shared by every string.", 'return getmetatable("")', result=False),
    Attack(
        "string-metatable-set",
        "It cannot be replaced.",
        'return (pcall(setmetatable, "", {}))',
        result=False,
    ),
    Attack(
        "string-library-poisoned",
        "The host uses copies of its own: a script breaks only itself.",
        """
        for name in pairs(string) do string[name] = error end
        for name in pairs(table) do table[name] = error end
        pairs, ipairs, next, type, tostring, pcall, error = nil
        dump({a = 1})
        return json.encode({b = {2}})
        """,
        result='{"b":[2]}',
    ),
    Attack(
        "addresses",
        "An address helps whoever attacks the process.",
        "return {tostring(print), tostring({}), tostring(coroutine.create(print))}",
        result=["function", "{}", "thread"],
    ),
    Attack(
        "address-format-s",
        "%s calls the real tostring.",
        'return ("%s %s"):format(print, {})',
        result="function {}",
    ),
    Attack(
        "address-format-p",
        "%p is nothing but an address.",
        'return pcall(string.format, "%-20p", {})',
        result=[False, "eval:1: bad argument #1 to 'format' (%p would show an address)"],
    ),
    Attack(
        "percent-p", "A percent sign before a p is none.", 'return ("5%%p"):format()', result="5%p"
    ),
    Attack(
        "address-randomseed",
        "Without arguments Lua seeds with the address of its state, and returns it.",
        'return select("#", math.randomseed())',
        result=0,
    ),
    Attack(
        "address-in-error",
        "A value that is printed in a message.",
        """
        local _, problem = pcall(error, setmetatable({}, {__name = "mine"}))
        return tostring(problem)
        """,
        result="{}",
    ),
    Attack(
        "collector",
        "Its tuning is the host's.",
        'return pcall(collectgarbage, "stop")',
        result=[
            False,
            "collectgarbage: only 'count' and 'collect' are available in the sandbox",
        ],
    ),
    Attack(
        "app-metatable",
        "Namespaces are closed.",
        "return getmetatable(app), getmetatable(app.integrations)",
        result=[False, False],
    ),
    Attack("app-write", "And read-only.", "app.integrations = {}", "runtime"),
    Attack("app-write-deep", "All of them.", "app.integrations.segment.track = print", "runtime"),
    Attack("null-write", "The null of JSON is one value for all.", "json.null.x = 1", "runtime"),
    Attack(
        "host-function",
        "No function of the host is a value of the script.",
        "return debug.traceback(print), type(app.integrations.segment.track)",
        result=["function", "function"],
    ),
    Attack(
        "fatal-table",
        "A __close meets what ends the run, and could change it.",
        """
        local x <close> = setmetatable({}, {__close = function(_, problem)
          if type(problem) == "table" then for key in pairs(problem) do problem[key] = nil end end
        end})
        while true do print(("x"):rep(1e6)) end
        """,
        "output_limit",
    ),
    Attack(
        "report-table",
        "The same with the host's account of an error.",
        """
        local x <close> = setmetatable({}, {__close = function(_, problem)
          problem.type, problem.origin, problem.limit = "boom", "boom", "boom"
        end})
        error({code = 5})
        """,
        "runtime",
    ),
    Attack(
        "error-table-broken",
        "A script may take the error table of a call apart.",
        """
        local _, problem = pcall(app.integrations.nosuch.call, {})
        for key in pairs(problem) do problem[key] = print end
        error(problem)
        """,
        "runtime",
    ),
    Attack(
        "limit-faked",
        "The hook's own message, raised by the script.",
        r'return pcall(error, "x\3", 0)',
        result=[False, "x\x03"],
    ),
    Attack(
        "too-deep-to-call",
        "Calling the host at the very end of the C stack.",
        'local function f() print(1) return (("x"):gsub("x", f)) end return (pcall(f))',
        result=False,
    ),
    Attack(
        "too-deep-to-answer",
        "The host's answer needs room on Lua's stack.",
        """
        local function f(n) if n > 0 then return 1 + f(n - 1) end print("deep") return 1 end
        for n = 199900, 200000, 10 do pcall(f, n) end
        return "survived"
        """,
        result="survived",
    ),
]

WORKS = [
    Attack(
        "string-methods",
        "The library is there.",
        'return ("x"):rep(3) .. ("y"):upper() .. #"abc"',
        result="xxxY3",
    ),
    Attack(
        "generator",
        "Coroutines work.",
        """
        local squares = {}
        for square in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end) do
          squares[#squares + 1] = square
        end
        return squares
        """,
        result=[1, 4, 9],
    ),
    Attack(
        "coroutine-error",
        "An error comes out of a coroutine with its place.",
        'return coroutine.resume(coroutine.create(function() error("x") end))',
        result=[False, "eval:1: x"],
    ),
    Attack(
        "yield-through-pcall",
        "Lua 5.4 can; a guarded pcall must too.",
        "return coroutine.wrap(function() return pcall(coroutine.yield, 1) end)()",
        result=1,
    ),
    Attack(
        "close",
        "__close gets the error itself.",
        """
        local seen
        pcall(function()
          local x <close> = setmetatable({}, {__close = function(_, problem) seen = problem end})
          error("mine", 0)
        end)
        return seen
        """,
        result="mine",
    ),
    Attack(
        "pcall-results",
        "With their holes.",
        "return select('#', pcall(function() return nil, nil end))",
        result=3,
    ),
    Attack(
        "xpcall-arguments",
        "Passed on.",
        "return xpcall(function(a, b) return a + b end, print, 1, 2)",
        result=[True, 3],
    ),
    Attack(
        "load-reader-works",
        "In pieces.",
        'local n = 0 return load(function() n = n + 1 return ({"return ", "42"})[n] end)()',
        result=42,
    ),
    Attack("utf8", "Characters.", 'return {utf8.len("é😀"), utf8.char(233)}', result=[2, "é"]),
    Attack(
        "weak", "Weak tables.", 'return type(setmetatable({}, {__mode = "k"}))', result="table"
    ),
    Attack(
        "error-in-handler",
        "An error of the handler is an error.",
        'return (xpcall(error, function() error("again") end, "x"))',
        result=False,
    ),
    Attack("nothing", "No return value is null.", "local x = 1", result=None),
    Attack("several", "Several are a list.", "return 1, nil, 'x'", result=[1, None, "x"]),
    Attack("holes", "A list with holes.", "return {1, nil, 3}", result=[1, None, 3]),
    Attack("negative-zero", "Not -0.0.", "return -0.0", result=0),
    Attack(
        "integers",
        "Exact to the last bit.",
        "return {math.maxinteger, math.mininteger, 2^53}",
        result=[9223372036854775807, -9223372036854775808, 9007199254740992],
    ),
    Attack(
        "no-json-value",
        "What JSON cannot hold is named, not dropped.",
        "return {print, 0/0, 1/0}",
        result=["function", "nan", "inf"],
    ),
    Attack(
        "circular",
        "A result that contains itself.",
        "local t = {} t.me = t return t",
        result={"me": "<circular>"},
    ),
    Attack("invalid-utf8", "Bytes that are no text.", r'return "a\xffb"', result="a\ufffdb"),
]

ATTACKS = [*TIME, *MEMORY, *WAYS_OUT, *WORKS]
