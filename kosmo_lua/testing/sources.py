"""The source of an integration: nothing forgotten, nothing done at import, only the authors' door used."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from inspect import isfunction, signature
from pathlib import Path
from types import FunctionType
from typing import get_origin

from kosmo_lua.integration import Api, Integration
from kosmo_lua.testing.subject import Subject


def _check_declarations_are_complete(subject: Subject) -> Iterator[str]:
    name = subject.package.__name__
    modules = [m for n, m in sys.modules.items() if f"{n}.".startswith(f"{name}.")]
    values = [value for module in modules for value in vars(module).values()]
    offered = [value for value in values if isinstance(value, Integration)]
    declared = {name for each in offered for name in each.functions}
    declared |= {check.name for each in offered for check in each.checks.values()}
    for call in dict.fromkeys(value for value in values if isfunction(value)):
        public = f"{call.__module__}.".startswith(f"{name}.") and call.__name__[0] != "_"
        if public and _takes_api(call) and call.__name__ not in declared:
            door = subject.integration.name
            yield f"{call.__name__} is not declared: put @{door}.read() or @{door}.write() on it"


def _takes_api(call: FunctionType) -> bool:
    first = next(iter(signature(call).parameters), "")
    kind = call.__annotations__.get(first)
    if isinstance(kind, str):  # from __future__ import annotations
        kind = call.__globals__.get(kind.partition("[")[0])
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, Api)


_WATCH_IMPORT = """
import importlib, sys
asked = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        asked.append(event)
        raise PermissionError("no network while a module is imported")
sys.addaudithook(watch)
try:
    importlib.import_module(sys.argv[1])
finally:
    if asked:
        print("asked")
"""


def _check_import_is_quiet(subject: Subject) -> Iterator[str]:
    name = subject.package.__name__
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", _WATCH_IMPORT, name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "asked" in done.stdout:
        yield f"{name} uses the network when it is imported: do that in a function"
    elif done.returncode:
        yield f"{name} cannot be imported on its own: {done.stderr.strip().splitlines()[-1]}"


_DOOR = ("kosmo_lua.integration", "kosmo_lua.errors")
_EMULATOR_DOOR = (*_DOOR, "kosmo_lua.emulator")


def _check_imports(subject: Subject) -> Iterator[str]:
    for module, file in subject.sources.items():
        yield from _inside_imports(module, file, _DOOR)
    for module, file in subject.emulator_sources.items():
        yield from _inside_imports(module, file, _EMULATOR_DOOR)
        yield from _shared_imports(subject, module, file)


def _inside_imports(module: str, file: Path, door: tuple[str, ...]) -> Iterator[str]:
    for name in _imported(module, file):
        package, _, rest = name.partition(".")
        if package == "kosmo_lua" and f"{package}.{rest.partition('.')[0]}" not in door:
            yield f"{module} imports {name}: only {', '.join(door)} are for integrations"


def _shared_imports(subject: Subject, module: str, file: Path) -> Iterator[str]:
    """Find what an emulator takes from its adapter: a fake that shares its code agrees with it."""
    for name in _imported(module, file):
        shared = f"{name}.".startswith(f"{subject.package.__name__}.")
        if shared and not f"{name}.".startswith(f"{subject.emulator_module}."):
            yield f"{module} imports {name}: an emulator shares nothing with its adapter"


def _imported(module: str, file: Path) -> Iterator[str]:
    """Yield the full names that a module imports."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


CHECKS = (
    _check_declarations_are_complete,
    _check_import_is_quiet,
    _check_imports,
)
