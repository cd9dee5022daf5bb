"""Scripts that try to break the sandbox, each with what must become of it: lua/attacks/KIND/NAME.lua.

The folder only grows: a way around a limit or out of the sandbox, wherever it is found, becomes a file there.
Each begins with comment lines: why it is here, and then what is to be, a line `-- key: value` for each of

    error     the type of the error that ends the run; alternatives are separated by `|`
    message   words of that error
    result    what the script returns, as JSON, or `...` for anything
    limits    `memory=400000 calls=20`, fields of Limits, where the usual ones would not do
    document  the most bytes that the envelope may have
    needs     `process`, where only the end of a process stops the script: it stays in one C function
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from kosmo_lua import Limits
from kosmo_lua.values import Json

FOLDER = Path(__file__).parent / "lua" / "attacks"
KEYS = {"error", "message", "result", "limits", "document", "needs"}
ANYTHING = "..."
ENDLESS = 0.05
"""Seconds of CPU for a script that is to use them up."""


class Attack(NamedTuple):
    """A script, and its outcome: an error of one of the types, or its result."""

    name: str
    code: str
    errors: tuple[str, ...]
    message: str
    result: Json
    limits: Limits
    document: int
    needs_process: bool

    @property
    def file(self) -> str:
        """The file name that its errors carry."""
        return f"{self.name.partition('/')[2]}.lua"


def read(name: str, code: str) -> Attack:
    """Read a script; a header that is not as described above is an error."""
    header = _header(name, code)
    errors = tuple(header["error"].split("|")) if "error" in header else ()
    result = header.get("result", "null")
    return Attack(
        name,
        code,
        errors,
        message=header.get("message", ""),
        result=ANYTHING if result == ANYTHING else json.loads(result),
        limits=_limits(header.get("limits", ""), errors),
        document=int(header.get("document", 1 << 26)),
        needs_process="needs" in header,
    )


def _header(name: str, code: str) -> dict[str, str]:
    comment = re.match(r"-- (.+\.)\n((?:-- .+\n)+)", code)
    assert comment, f"{name} does not begin with why it is here, and what is to be"
    lines = [line.removeprefix("-- ") for line in comment[2].splitlines()]
    pairs = [(key, value) for key, _, value in (line.partition(": ") for line in lines)]
    header = dict(pairs)
    assert len(header) == len(pairs), f"{name} says something twice"
    assert header.keys() <= KEYS, f"{name} has unknown keys: {header.keys() - KEYS}"
    assert ("error" in header) != ("result" in header), f"{name} needs an error or a result"
    assert header.get("needs", "process") == "process", f"{name} needs what there is not"
    return header


def _limits(text: str, errors: tuple[str, ...]) -> Limits:
    """Give little time to what is to use it up, and enough to the rest, on a machine that is busy."""
    usual = Limits(cpu=ENDLESS if "cpu_limit" in errors else 20)
    given = dict(pair.split("=") for pair in text.split())
    return usual._replace(**{key: type(getattr(usual, key))(given[key]) for key in given})


def _read_all() -> list[Attack]:
    files = sorted(FOLDER.glob("*/*.lua"))
    names = [file.relative_to(FOLDER).with_suffix("").as_posix() for file in files]
    codes = [file.read_text(encoding="utf-8") for file in files]
    return [read(name, code) for name, code in zip(names, codes, strict=True)]


ATTACKS = _read_all()
