"""Random Lua scripts, and an integration with random results: what `fuzz.py` runs.

A script comes from two numbers, always the same one from the same numbers. Its statements share a few
variables, so that what one has made reaches the next. Nothing in it stays inside one C function, which only
the end of a process would stop.
"""

import random
import re

from kosmo_lua import Limits
from kosmo_lua.integration import Api, Credentials, Field, Integration, JsonObject, Params
from kosmo_lua.values import Json

GRAMMAR = r"""
variable: a | b | c | d | e
text: "" | "x" | "Ünïcödé 😀" | "a\0b" | "\xff\xfe" | "line\nline" | "\\\"\u{FFFF}" | "__index"
    | "not enough memory" | ("x"):rep(<size>) | ("é"):rep(<size>) | <text> .. <text> | tostring(<value>)
size: 1 | 3 | 100 | 2000 | 30000 | 1e6 | 3e6
number: 0 | -1 | 7 | 2^53 | 1e308 | 0/0 | math.mininteger | -0.0 | 0.1 | #<text>
seed: 1 | 22 | 333 | 4444 | <seed><seed>
scalar: nil | true | <number> | <text> | <variable> | <variable> | json.null | print | app | arg
key: x | y | ["é"] | [1.5] | [true] | [print] | [-1] | ["\xff"] | ["1"]
table: {} | {<value>, <value>} | {<key> = <value>, <key> = <value>}
    | {<value>, <key> = <scalar>} | list(<size>)
value: <scalar> | <scalar> | <variable> | <table> | <table> | <function> | <call> | <call> | <service>
    | coroutine.create(<function>) | coroutine.wrap(<function>) | setmetatable(<table>, <meta>)
    | json.object(<table>) | <variable>.x | (<value> == <value>) | (<variable> or <value>)
function: function(p) <statement> return <value> end | function(...) <statement> <statement> end | <library>
event: index | newindex | call | tostring | pairs | close | len | eq | lt | concat | add | name | mode | gc
    | metatable
meta: {__<event> = <function>} | {__<event> = <function>, __<event> = <value>}
    | {__pairs = function(t) return next, <table> end}
library: tostring | type | next | select | ipairs | pairs | rawlen | rawget | rawset | error | assert
    | getmetatable | setmetatable | tonumber | load | require | print | dump | collectgarbage | pcall | xpcall
    | table.concat | table.unpack | table.pack | table.remove | table.insert | table.sort
    | string.format | string.sub | string.byte | string.gsub | string.pack | utf8.len | utf8.char
    | math.floor | os.date | os.time | debug.traceback | coroutine.status | coroutine.close | coroutine.resume
    | coroutine.wrap | coroutine.yield | coroutine.running | json.encode | json.decode | json.array
    | regex.match | regex.gsub | regex.match_all | docs.search | docs.read | docs.list
call: <library>(<value>) | <library>(<value>, <value>) | <library>(<scalar>, <scalar>, <scalar>)
    | <variable>(<value>) | pcall(<function>, <value>) | xpcall(<function>, <function>, <value>)
    | select(2, pcall(<function>)) | json.encode(<value>, {sort = true})
    | json.decode(json.encode(<value>)) | json.decode(<text>)
    | json.decode(json.encode(<value>):sub(1, -2)) | regex.gsub(<text>, [[(\w)(.)?]], '$2$1', 5)
    | regex.match_all(<text>, 'x|é') | load(<source>) | load(<source>, <text>, <text>, <table>)
    | <variable>:match('.*: (.*)') | coroutine.resume(<variable>)
source: [==[<statement> return <scalar>]==] | [=[<statement>]=] .. <text>
    | function() return <text> end | "\27Lua"
service: app.integrations.echo.give({number = <seed>}) | app.integrations.echo.give(<seed>).value
    | app.integrations.echo.take(<value>) | app.integrations.echo.default.give({number = <seed>}).value
    | app.integrations.echo.give(<value>, <value>) | app.nothing(<value>)
statement: <variable> = <value> | <variable> = <value> | <variable> = <service> | print(<value>, <value>)
    | dump(<value>) | local _ = <call> | pcall(function() <statement> <statement> end) | error(<value>)
    | pcall(error, <value>) | <variable>.x = <value> | rawset(<variable>, <value>, <value>)
    | setmetatable(<variable>, <meta>) | for _, v in pairs(<value>) do <variable> = v <statement> end
    | for i = 1, <size> do <variable> = {<variable>} end | for i = 1, 9 do <statement> end
    | do local x <close> = setmetatable({}, {__close = <function>}) <statement> end
    | coroutine.wrap(function() <statement> coroutine.yield(<value>) <statement> end)()
    | xpcall(function() <statement> end, function(p) <statement> return <value> end)
    | local function f() <statement> return 1 + f() end <variable> = f
    | if <value> then <statement> else <statement> end | <variable> = select(2, pcall(<function>, <value>))
    | table.sort(<table>, <function>) | _G.<variable>, string.rep = <value>, <scalar>
    | while true do <statement> end
line: <statement> | pcall(function() <statement> end) | pcall(function() <statement> end)
    | local _ = coroutine.wrap(pcall)(function() <statement> end)
"""
"""What each `<part>` may be. A part that is deep becomes an alternative that has no parts, if it has one."""

PARTS = {
    name: alternatives.split(" | ")
    for name, _, alternatives in (
        line.partition(": ") for line in GRAMMAR.replace("\n    |", " |").strip().splitlines()
    )
}
DEEPEST = 9
PREFIX = "local function list(n) local t = {} for i = 1, n do t[i] = i end return t end\n"


def script(seed: int, number: int) -> tuple[str, Limits]:
    """Return a random script and the limits that it runs under."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311  # to be repeated
    lines = [_expand(chance, "line", 0) for _ in range(chance.randint(3, 12))]
    memory = chance.choice([200_000, 1_000_000, 2_000_000, 4_000_000])
    code = PREFIX + "\n".join(lines) + f"\nreturn {_expand(chance, 'value', 2)}\n"
    return code, Limits(0.1, 10, memory, output=100_000, result=200_000, calls=50)


def _expand(chance: random.Random, part: str, depth: int) -> str:
    choices = PARTS[part]
    if depth >= DEEPEST:
        choices = [choice for choice in choices if "<" not in choice] or choices[:1]
    return re.sub(r"<(\w+)>", lambda found: _inner(chance, found, depth), chance.choice(choices))


def _inner(chance: random.Random, found: re.Match[str], depth: int) -> str:
    return found[0] if found[1] == "close" else _expand(chance, found[1], depth + 1)


class _Shape(Params):
    """Which value."""

    number: int = Field(description="The same number gives the same value.", examples=[7])


echo = Integration(
    "echo",
    title="Echo",
    summary="Gives random values; it needs no service.",
    credentials=Credentials,
    api=Api[Credentials],
)


@echo.read()
def give(api: Api[Credentials], shape: _Shape) -> JsonObject:
    """Return a random value.

    Returns: `{value = ...}`.
    """
    del api
    return {"value": _value(random.Random(shape.number), 4)}  # noqa: S311  # to be repeated


@echo.write()
def take(api: Api[Credentials], shape: _Shape) -> JsonObject:
    """Take a number.

    Returns: `{number = ...}`.
    """
    del api
    return {"number": shape.number}


def _value(chance: random.Random, depth: int) -> Json:
    """Make what a service may answer, and what it should not."""
    kind = chance.choice(["scalar", "text", "list", "object"] if depth else ["scalar", "text"])
    if kind == "scalar":
        return chance.choice(
            [None, True, 0, -0.0, 10**20, 2**63, 1e308, float("nan"), float("inf")]
        )
    if kind == "text":
        return chance.choice(["", "é😀", "\0", "\ud800", '"\\']) * chance.choice([1, 3, 50, 20000])
    items = [_value(chance, depth - 1) for _ in range(chance.choice([0, 1, 3, 10, 30]))]
    if kind == "list":
        return items
    return {f"key{index}é": item for index, item in enumerate(items)}
