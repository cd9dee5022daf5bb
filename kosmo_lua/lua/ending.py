"""How a script ended: what the prelude reports, as the fields of an Ending."""

from typing import Any

from kosmo_lua.errors import Interrupted
from kosmo_lua.lua.convert import from_lua
from kosmo_lua.lua.limits import Limits
from kosmo_lua.values import JsonObject


def failed(report: dict[str, Any], limits: Limits, name: str) -> JsonObject:
    """Return the ending of a script that failed; `name` is its own, as errors carry it."""
    if report.get("limit") == "interrupted":
        return _interrupted(report.get("file"), report.get("line"))
    if report.get("limit") == "dry_run_incomplete":
        return _incomplete(report)
    if "limit" in report:
        return limits.exceeded(report["limit"], report.get("file"), report.get("line"))
    info: JsonObject = {"code": "script_error", "type": report["type"]}
    if report["type"] == "syntax":
        info["code"] = "syntax_error"
        report["file"], report["line"] = _location(report["message"], name)
    if "details" in report:
        info["details"] = from_lua(report["details"].encode())
    if "origin" in report:
        info |= from_lua(report["origin"].encode())
        del info["message"]
    if info["code"] == "internal":
        info["type"] = "internal"
    info |= {name: report.get(name) for name in ("file", "line", "traceback")}
    return {"error": report["message"], "info": info}


def _interrupted(file: str | None, line: int | None) -> JsonObject:
    error = Interrupted("SIGINT")
    where = f"{file}:{line}: " if file else ""
    place: JsonObject = {"file": file, "line": line}
    info: JsonObject = {
        "code": error.code,
        "type": "interrupted",
        "details": error.details,
        **place,
    }
    return {"error": where + error.message, "info": info}


def _incomplete(report: dict[str, Any]) -> JsonObject:
    """Return the ending of a dry run whose script needs the answer to a write."""
    file, line, function = (report.get(name) for name in ("file", "line", "function"))
    where = f"{file}:{line}: " if file else ""
    message = f"the dry run ends here: it needs {report['what']} of what {function} returns"
    info: JsonObject = {
        "code": "dry_run_incomplete",
        "type": "runtime",
        "function": function,
        "hint": "plan has every write before this line; with --emulator the script runs to its end.",
        "file": file,
        "line": line,
    }
    return {"error": where + message, "info": info}


def _location(message: str, name: str) -> tuple[str | None, int | None]:
    """Find the line in `workflow.lua:3: unexpected symbol`."""
    line = message.removeprefix(f"{name}:").partition(":")[0]
    return (name, int(line)) if message.startswith(f"{name}:") and line.isdigit() else (None, None)
