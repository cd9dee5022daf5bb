"""kosmo mcp:serve: kosmo as an MCP server."""

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.answers.gateway import Serving
from kosmo_lua.cli.limits import limits_of
from kosmo_lua.cli.mcp.gateway_options import gateway_options, offer_of
from kosmo_lua.cli.report import Report, json_option, say
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.errors import SIGNALS
from kosmo_lua.gateway.offer import NESTED, TOKEN, refuse_nested, require_sdk
from kosmo_lua.gateway.scripts import Scripts

if TYPE_CHECKING:
    from kosmo_lua.gateway.offer import Offer
    from kosmo_lua.gateway.tools import Toolbox


@click.command(
    "mcp:serve", cls=OnceCommand, short_help="Serve coding agents: kosmo as an MCP server."
)
@click.option("--http", is_flag=True, help="Serve streamable HTTP on 127.0.0.1, not stdio.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8791,
    show_default=True,
    help="With --http: the port; 0 takes any free one.",
)
@gateway_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values, one for each option
    """Serve coding agents over MCP, on stdin and stdout or with --http.

    An agent finds functions with search_docs and read_doc, and calls them from Lua scripts: run_read runs one
    that only reads, run_write one that also writes, for which the client asks its user.

        kosmo mcp:gateway:install claude

        kosmo mcp:serve --http --port 0 --json
    """
    if options["as_json"] and not options["http"]:
        raise click.UsageError("--json goes with --http: stdout is the protocol's", ctx)
    require_sdk()
    refuse_nested(os.environ)
    token = os.environ.pop(TOKEN, None)  # nobody below needs it
    os.environ[NESTED] = "1"
    scripts = Scripts()
    toolbox = _toolbox(options, offer_of(options), scripts)
    gc.freeze()
    gc.enable()
    try:
        _serve(toolbox, scripts, options, token)
    except KeyboardInterrupt as ended:
        return SIGNALS.get(str(ended), SIGNALS["SIGINT"])
    return 0


def _toolbox(options: dict[str, Any], offer: "Offer", scripts: Scripts) -> "Toolbox":
    """Return the tools, over a Kosmo that only reads and one that also writes."""
    from kosmo_lua.gateway.kosmos import reader_and_writer  # noqa: PLC0415  # after the SDK was found

    config = Config.here()
    reader, writer = reader_and_writer(
        offer,
        environ={**os.environ},
        config=config,
        limits=limits_of(options, config),
        audit=None if options["emulator"] else config.path(AUDIT),
        emulator=options["emulator"],
    )
    if offer.expose == "tools":
        from kosmo_lua.gateway.functions import FunctionTools  # noqa: PLC0415  # only here

        return FunctionTools(reader, writer, scripts, offer)
    from kosmo_lua.gateway.code import CodeTools  # noqa: PLC0415  # only here

    return CodeTools(reader, writer, scripts, offer)


def _serve(
    toolbox: "Toolbox", scripts: Scripts, options: dict[str, Any], given: str | None
) -> None:
    from kosmo_lua.gateway.server import make_server  # noqa: PLC0415  # the SDK: 0.6 s
    from kosmo_lua.gateway.serving import serve  # noqa: PLC0415  # the same

    if not options["http"]:
        if sys.stdin is None:  # it was closed: there is no client
            return None
        if sys.stdin.isatty():
            say(
                "kosmo speaks MCP on stdin and stdout, for a client that starts it; Ctrl-C stops it."
            )
            say("hint: kosmo mcp:gateway:install --help")
        from kosmo_lua.gateway.stdio import serve_stdio  # noqa: PLC0415  # only here

        return serve(lambda: serve_stdio(make_server(toolbox)), scripts)
    from kosmo_lua.gateway.http import (  # noqa: PLC0415  # only here
        address,
        listen,
        serve_http,
        token_from,
    )

    token = token_from(given)
    with listen(options["port"]) as listener:
        _announce(address(listener), None if given else token, options)
        serve(lambda: serve_http(make_server(toolbox), listener, token), scripts)
    return None


def _announce(url: str, token: str | None, options: dict[str, Any]) -> None:
    """Say where the server is, and its token, once."""
    if options["as_json"]:
        Report(as_json=True).facts(Serving(url, token), "")
        return
    say(f"kosmo serves MCP on {url}; Ctrl-C stops it.")
    say(f"token: {token}" if token else f"token: that of {TOKEN}")
