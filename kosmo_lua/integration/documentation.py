"""The documentation of a function, made from its docstring."""

import inspect
import re
from collections.abc import Callable
from typing import Any


def documentation(call: Callable[..., Any]) -> dict[str, Any]:
    """Return the documentation fields of a Function, of its docstring.

    It has a summary, prose, `Returns:`, Lua examples and `Source:`.
    """
    text = inspect.getdoc(call) or ""
    examples = tuple(found.strip() for found in re.findall(r"```lua\n(.*?)```", text, re.DOTALL))
    text = re.sub(r"```lua\n.*?```", "", text, flags=re.DOTALL)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    labelled = {
        label: part.removeprefix(f"{label}:").strip()
        for part in paragraphs
        for label in ("Returns", "Source")
        if part.startswith(f"{label}:")
    }
    prose = [part for part in paragraphs if not part.startswith(("Returns:", "Source:"))]
    return {
        "summary": prose[0] if prose else "",
        "description": "\n\n".join(prose[1:]),
        "returns": labelled.get("Returns", ""),
        "examples": examples,
        "source": labelled.get("Source"),
    }
