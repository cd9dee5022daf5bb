"""A result as the reply to a call: facts and text, together no longer than the client wants."""

import json
import re
from typing import TYPE_CHECKING

from kosmo_lua.errors import KosmoError
from kosmo_lua.gateway.tools import Reply
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.results import Result

FACTS = (
    "success",
    "output",
    "result",
    "error",
    "error_info",
    "warnings",
    "call_log",
    "delivery",
    "meta",
)
"""What an agent needs of the envelope of a run."""

DEEPEST = 64
"""Levels of a result that is sent as JSON: parsers of clients end at some hundred."""

CALLS_SHOWN = 20
"""The text has a line for so many calls."""

_SURROGATES = re.compile("[\ud800-\udfff]")

NARROW = "return or print less: filter in the script, pick the fields, or go through the pages"


def reply(result: "Result", limit: int) -> Reply:
    """Return the reply to a call that ran a script; its JSON has at most `limit` characters."""
    facts = {name: value for name, value in result.to_dict().items() if name in FACTS}
    facts["truncated"] = []
    facts = _valid(facts)
    _flatten(facts, facts, "result")
    if isinstance(info := facts["error_info"], dict):
        _flatten(facts, info, "details")
    whole = _reply(facts)
    room = limit // 2
    while size(whole) > limit and room > limit // 64:
        whole = _reply(_cut_facts(facts, room))
        room = room * 3 // 4
    return whole if size(whole) <= limit else _least(result, limit)


def text_reply(text: str, limit: int) -> Reply:
    """Return the reply to a call that reads a page; its JSON has at most `limit` characters."""
    page = _SURROGATES.sub("\ufffd", text)
    room = limit - 200
    shown = page
    while size(Reply(shown)) > limit:
        shown = cut(page, room)
        room = room * 3 // 4
    return Reply(shown)


def error_reply(error: KosmoError, limit: int) -> Reply:
    """Return the reply to a call that failed before a script ran; it may quote what the client has sent."""
    return text_reply(Reply.of(error).text, limit)._replace(failed=True)


def size(reply: Reply) -> int:
    """Return how many characters the JSON of a reply has."""
    content: JsonObject = {
        "content": [{"type": "text", "text": reply.text}],
        "structuredContent": reply.facts,
        "isError": reply.failed,
        "resultType": "complete",
    }
    return len(_compact(content))


def cut(text: str, room: int) -> str:
    """Return the beginning of a text, up to the end of a character as people see it, and what is missing."""
    if len(text) <= room:
        return text
    at = boundary(text, room)
    missing = f"{len(text) - at:,} of {len(text):,} characters left out"
    return f"{text[:at]}\n[cut: {missing}; read a narrower page]"


def boundary(text: str, at: int) -> int:
    """Return the last end of a character as people see it, which may be several code points, up to `at`."""
    import regex  # noqa: PLC0415  # slow to import, and only for what is too long

    begin = max(0, at - 64)  # a family of emoji has 7 code points, a flag of a region 7, too
    ends = [found.end() for found in regex.finditer(r"\X", text[begin : at + 64])]
    return max((begin + end for end in ends if begin + end <= at), default=begin)


def _reply(facts: JsonObject) -> Reply:
    return Reply(_text(facts), facts, failed=not facts["success"])


def _cut_facts(facts: JsonObject, room: int) -> JsonObject:
    """Return the facts with at most about `room` characters, the most important ones whole."""
    short: JsonObject = {**facts, "truncated": [*_list(facts["truncated"])]}
    left = room - len(_compact({name: facts[name] for name in ("success", "meta")}))
    for name, share in (
        ("error", 0.3),
        ("error_info", 0.4),
        ("warnings", 0.2),
        ("delivery", 0.3),
        ("result", 0.6),
        ("output", 0.6),
        ("call_log", 1.0),
    ):
        own = max(int(left * share), 0)
        if len(_compact(facts[name])) > own:
            short[name] = _cut_value(short, name, own)
        left -= len(_compact(short[name]))
    return short


def _cut_value(facts: JsonObject, name: str, room: int) -> Json:
    """Return a beginning of a fact, and note in the facts how much of it is missing."""
    value = facts[name]
    if name in ("warnings", "call_log"):
        entries = _list(value)
        kept = _entries(entries, room)
        _note(facts, f"{name}: {len(entries) - len(kept):,} of {len(entries):,} left out")
        return kept
    if name in ("error_info", "delivery") and isinstance(value, dict):
        return _small(facts, name, value)
    text = value if isinstance(value, str) else _compact(value)
    at = boundary(text, max(int(room * 0.9 * len(text) / len(_compact(text))), 0))
    kind = "" if isinstance(value, str) else "; what is here is the beginning of its JSON"
    missing = f"{len(text) - at:,} of {len(text):,} characters left out"
    _note(facts, f"{name}: {missing}{kind}; {NARROW}")
    return text[:at]


def _small(facts: JsonObject, name: str, value: JsonObject) -> JsonObject:
    """Return a record without its large fields."""
    large = {"error_info": ("details", "traceback"), "delivery": ("rejected",)}[name]
    missing = [field for field in large if value.get(field)]
    _note(facts, f"{name}: {' and '.join(missing) or 'nothing'} left out")
    empty: JsonObject = {field: [] if field == "rejected" else None for field in missing}
    return {**value, **empty}


def _entries(entries: list[Json], room: int) -> list[Json]:
    kept: list[Json] = []
    for entry in entries:
        room -= len(_compact(entry)) + 1
        if room < 0:
            break
        kept.append(entry)
    return kept


def _least(result: "Result", limit: int) -> Reply:
    """Say only how it ended: not even the small facts fit."""
    info = result.error_info
    text = f"The run {'succeeded' if result.success else 'failed'}, and its result does not fit."
    facts: JsonObject = {
        "success": result.success,
        "error": info.code if info else None,
        "truncated": [f"all but this is left out: more than {limit:,} characters; {NARROW}"],
    }
    return Reply(text, facts, failed=not result.success)


def _text(facts: JsonObject) -> str:
    """Return the facts as a text that is readable on its own."""
    parts = [str(facts["output"])] if facts["output"] else []
    if facts["error"]:
        info = facts["error_info"]
        parts.append(f"error: {facts['error']}")
        if isinstance(info, dict):
            parts.append(f"code: {info['code']}, effect: {info['effect']}")
            parts += [f"hint: {info['hint']}"] if info["hint"] else []
    elif facts["result"] is not None:
        parts.append(f"result: {_compact(facts['result'])}")
    parts += [f"warning: {warning}" for warning in _list(facts["warnings"])]
    parts += _calls(facts)
    parts += [f"[cut: {note}]" for note in _list(facts["truncated"])]
    return "\n".join(parts) or "The script ended; it printed and returned nothing."


def _calls(facts: JsonObject) -> list[str]:
    """Say which calls were made: each that failed or may have written, and how many there were."""
    meta = facts["meta"]
    totals = meta["calls"] if isinstance(meta, dict) else None
    if not isinstance(totals, dict) or not totals["total"]:
        return []
    counts = ", ".join(
        f"{totals[kind]} {kind}" for kind in ("reads", "writes", "failed", "unknown")
    )
    lines = [f"calls: {totals['total']} ({counts})"]
    told = [call for call in _list(facts["call_log"]) if isinstance(call, dict)]
    told = [call for call in told if call["error"] or call["access"] == "write"]
    for call in told[:CALLS_SHOWN]:
        error = call["error"]
        how = f": {error['code']}" if isinstance(error, dict) else ""
        lines.append(f"- {call['function']} as {call['account']}, effect {call['effect']}{how}")
    return lines


def _valid(facts: JsonObject) -> JsonObject:
    """Return the facts without halves of characters, which no UTF-8 has, and no client would read."""
    text = _compact(facts)
    if not _SURROGATES.search(text):
        return facts
    valid: JsonObject = json.loads(_SURROGATES.sub("\ufffd", text))
    return valid


def _flatten(facts: JsonObject, record: JsonObject, name: str) -> None:
    """Replace a field that has too many levels by its JSON text."""
    if _depth(record[name]) > DEEPEST:
        record[name] = _compact(record[name])
        _note(facts, f"{name} has more than {DEEPEST} levels, and is here as JSON text")


def _depth(value: Json) -> int:
    """Return how many levels a value has; without recursion, as it may have many."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list)) and each]:
        depth += 1
        level = [
            item for each in level for item in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _note(facts: JsonObject, note: str) -> None:
    facts["truncated"] = [*_list(facts["truncated"]), note]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
