"""Workers: processes that are there before anybody knows which scripts they will run."""

import os
from typing import TYPE_CHECKING

from kosmo_lua.backend import Backend
from kosmo_lua.lua.limits import Limits
from kosmo_lua.options import Options

if TYPE_CHECKING:  # start-up
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.lua.child import Child
    from kosmo_lua.lua.sandbox import Sandbox
    from kosmo_lua.values import Json


def order(
    options: Options, limits: Limits, *, asks: bool, has_environ: bool = False
) -> "list[Json]":
    """Return what a worker is told first: for whom it runs scripts.

    `has_environ`: it has the environment itself, and need not be told.

    Raises:
        UsageError: an option is a Python object.
    """
    facts = options.to_json()
    if has_environ:
        del facts["environ"]
    return ["serve", facts, [*limits], asks]


def work(
    child: "Child", sandbox: "Sandbox | None" = None, installed: "Catalog | None" = None
) -> None:
    """Be a worker: run the scripts that are ordered, until no more are, with what was made before."""
    if not (first := child.order()):
        return
    _, facts, limits, asks = first
    backend = Backend(Options.from_json(**{"environ": {**os.environ}, **facts}))
    if installed:
        backend.installed = backend.chosen(installed)
    child.run_scripts(backend, Limits(*limits), asks=asks, sandbox=sandbox)
