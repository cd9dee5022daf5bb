"""The page of an integration and the page of a function, as Markdown, made from the declarations."""

import json
import shlex
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import DEFAULT, Accounts
from kosmo_lua.errors import CODES
from kosmo_lua.integration import lua_path
from kosmo_lua.integration.sample import sample_of
from kosmo_lua.lua_source import lua_literal
from kosmo_lua.mcp.words import quoted
from kosmo_lua.values import MCP_PREFIX, JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.integration import Function, Integration


def integration(integration: "Integration[Any]", accounts: Accounts) -> str:
    """Return the page of an integration."""
    lines = [f"# {integration.title}", "", integration.summary, ""]
    lines += [f"Lua namespace: `{lua_path(integration.name)}`.", "", "## Functions", ""]
    lines += ["| Function | Access | What it does |", "|---|---|---|"]
    for function in integration.functions.values():
        names = ", ".join(f"`{name}`" for name in (function.name, *function.aliases))
        lines.append(f"| {names} | {function.access} | {_cell(function.summary)} |")
    lines += [
        "",
        f'`docs.read("{integration.name}.FUNCTION")` has the parameters and an example.',
        "",
    ]
    lines += _settings(integration, accounts)
    return "\n".join([*lines, integration.guide]).rstrip() + "\n"


def _settings(integration: "Integration[Any]", accounts: Accounts) -> list[str]:
    if not integration.credentials.model_fields:  # an MCP server has none
        return []
    lines = ["## Settings", "", "| Setting | Environment variable | Meaning |", "|---|---|---|"]
    for name, field in integration.credentials.model_fields.items():
        variables = accounts.variables(integration, DEFAULT, name)
        shown = ", ".join(f"`{variable}`" for variable in variables if "__" not in variable)
        lines.append(f"| `{name}` | {shown} | {_cell(field.description)} |")
    return [*lines, ""]


def function(integration: "Integration[Any]", function: "Function", accounts: Accounts) -> str:
    """Return the page of a function."""
    lines = [f"# {function.lua_path}", "", function.summary, ""]
    words = function.description
    lines += [quoted(words) if function.is_tool else words, ""] if words else []
    lines += [f"- Access: {_access(integration, function)}"]
    if function.credential:
        variable = accounts.variables(integration, DEFAULT, function.credential)[0]
        lines.append(f"- Credential: `{function.credential}` (`{variable}`)")
    if not function.is_tool or function.aliases:
        lines.append(f"- Also spelt: {', '.join(f'`{s}`' for s in _spellings(function))}")
    lines += ["", "## Parameters", "", *_parameters(function)]
    for example in function.examples:
        lines += ["", "## Example", "", "```lua", example, "```"]
    lines += ["", "## On the command line", "", "```sh", command(function), "```"]
    lines += ["", "## Returns", "", function.returns, "", "## Errors", ""]
    lines += _errors(function)
    lines += ["", f"Source: {function.source}"] if function.source else []
    return "\n".join(lines) + "\n"


def _access(integration: "Integration[Any]", function: "Function") -> str:
    if function.access == "read":
        return "read (allowed unless the policy says otherwise)"
    variable = f"KOSMO_{integration.name}_WRITE".upper().replace(".", "_")
    return f"write (needs approval: `--force`, `{variable}=allow`, or a yes when asked)"


def _spellings(function: "Function") -> list[str]:
    return [f"{function.integration}.{spelling}" for spelling in function.spellings]


def _parameters(function: "Function") -> list[str]:
    schema = function.schema()
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or not properties:
        return ["None."]
    lines = ["| Name | Type | Required | Description | Default |", "|---|---|---|---|---|"]
    for name, field in properties.items():
        facts = field if isinstance(field, dict) else {}
        needed = "yes" if isinstance(required, list) and name in required else "no"
        default = f"`{_cell(lua_literal(facts['default']))}`" if "default" in facts else ""
        kind, words = _cell(facts.get("type", "any")), _cell(facts.get("description"))
        lines.append(f"| `{_cell(name)}` | {kind} | {needed} | {words} | {default} |")
    return lines


def _cell(text: object) -> str:
    """Return a text so that a table keeps its columns and its rows, and steers no terminal."""
    words = " ".join(str(text or "").split()).replace("|", r"\|")
    return "".join(c if c.isprintable() else " " for c in words)


def sample(function: "Function") -> JsonObject:
    """Return arguments, from the examples of the parameters."""
    return sample_of(function.schema())


def command(function: "Function") -> str:
    """Return the command that calls the function with its sample arguments."""
    found = json.dumps(sample(function), ensure_ascii=False)
    payload = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in found)
    name = function.full_name.removeprefix(MCP_PREFIX)
    words = ["kosmo", "mcp:call" if function.is_tool else "integrations:call", name]
    words += [payload] if payload != "{}" else []
    words += ["--force"] if function.access == "write" else []
    return shlex.join([*words, "--json"])


def _errors(function: "Function") -> list[str]:
    codes = ["invalid_arguments"]
    codes += ["approval_required", "denied"] if function.access == "write" else ["denied"]
    codes += ["credentials_missing"] if function.credential else []
    codes += ["unreachable", "timed_out"]
    codes += ["service_error"] if function.is_tool else ["rate_limited", "service_error"]
    lines = [f"- `{code}`: {CODES[code].sentence}" for code in codes]
    return [*lines, "", '`docs.read("errors")` tells how to handle them.']
