"""kosmo integrations:list, search, docs, schema, examples: what there is, and how it is called."""

import click

from kosmo_lua.answers import Examples, Found, Listing
from kosmo_lua.cli.arguments import function_argument, page_argument
from kosmo_lua.cli.plain import plain, table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo


@click.command("integrations:list", cls=OnceCommand, short_help="List the integrations.")
@json_option
def list_command(*, as_json: bool) -> int:
    """List the integrations, whether they are configured, and how many functions they have.

    With --json each of the functions is listed, too.
    """
    kosmo = Kosmo(config=Config.here())
    listing = kosmo.reference.listing()
    return Report(as_json=as_json).facts(listing, _providers(listing), kosmo.catalog.problems)


@click.command("integrations:search", cls=OnceCommand, short_help="Find functions.")
@click.argument("words", nargs=-1, required=True)
@json_option
def search_command(*, words: tuple[str, ...], as_json: bool) -> int:
    """Find the functions, and the other pages of the docs, that contain WORDS; the best are first."""
    kosmo = Kosmo(config=Config.here())
    found = kosmo.reference.find(" ".join(words))
    return Report(as_json=as_json).facts(found, _found(found), kosmo.catalog.problems)


@click.command("integrations:docs", cls=OnceCommand, short_help="Show a page of the docs.")
@page_argument(required=False)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For people, as Markdown, or as one JSON document.",
)
@json_option
def docs_command(*, page: str | None, style: str, as_json: bool) -> int:
    """Show PAGE of the docs: a guide, an integration or a function; without it the list of all pages."""
    return show_page(page, style="json" if as_json else style)


@click.command(
    "integrations:schema", cls=OnceCommand, short_help="Show the JSON Schema of a function."
)
@function_argument
@json_option
def schema_command(*, function: str, as_json: bool) -> int:
    """Print the JSON Schema of the parameters of FUNCTION; with --json it is inside an envelope."""
    import json  # noqa: PLC0415  # start-up: --help needs it not

    kosmo = Kosmo(config=Config.here())
    schema = kosmo.reference.schema(function)
    text = json.dumps(schema.schema, ensure_ascii=False, indent=2)
    return Report(as_json=as_json).facts(schema, text, kosmo.catalog.problems)


@click.command(
    "integrations:examples", cls=OnceCommand, short_help="Show how functions are called."
)
@page_argument(required=True)
@json_option
def examples_command(*, page: str, as_json: bool) -> int:
    """Show the examples of PAGE, an integration or a function: as Lua, and as a command."""
    kosmo = Kosmo(config=Config.here())
    examples = kosmo.reference.examples(page)
    return Report(as_json=as_json).facts(examples, _examples(examples), kosmo.catalog.problems)


def show_page(name: str | None, *, style: str) -> int:
    """Show a page of the docs, None for the list of all, as `text`, `markdown` or `json`."""
    kosmo = Kosmo(config=Config.here())
    page = kosmo.reference.page(name) if name else kosmo.reference.contents()
    text = plain(page.markdown) if style == "text" else page.markdown.rstrip("\n")
    return Report(as_json=style == "json").facts(page, text, kosmo.catalog.problems)


def _providers(listing: Listing) -> str:
    rows = [("Provider", "Functions", "Status", "What it does")]
    for name, provider in listing.providers.items():
        status = "configured" if provider.configured else "not configured"
        rows.append((name, str(len(provider.functions)), status, provider.summary))
    return table(rows)


def _found(found: Found) -> str:
    functions = [(entry.function, entry.access, entry.summary) for entry in found.functions]
    pages = [(entry.page, "page", entry.title) for entry in found.pages]
    return table([*functions, *pages]) or f'Nothing found for "{found.query}".'


def _examples(examples: Examples) -> str:
    parts = [f"-- {each.function}\n{each.lua}\n\n-- {each.command}" for each in examples.examples]
    return "\n\n".join(parts)
