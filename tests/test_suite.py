"""What the suite promises of itself."""

import ast
from collections.abc import Iterator

from conftest import ROOT

LEFT_OUT = {
    "test_isolation.py": "looks in /proc",
    "test_openapi.py": "the schemas of Segment are not part of a clone",
    "test_posthog_openapi.py": "the schemas of PostHog are not part of a clone",
    "test_regex_limits.py": "RLIMIT_DATA counts all memory only there",
    "test_regex_oracle.py": "needs Debian's lua5.4, lua-rex-pcre2 and lua-cjson",
    "test_trace.py": "a device of Linux",
    "test_values.py": "a second opinion, where Debian's lua5.4 and lua-cjson are installed",
}
"""Each test that may be left out, and why: another system, or something that no package of Python has."""


def left_out(source: str) -> Iterator[str]:
    """Yield the reason of each test that may be left out."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in ("skip", "skipif", "importorskip", "xfail"):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            reason = (given or node.args)[0]
            yield (
                ast.literal_eval(reason)
                if isinstance(reason, ast.Constant)
                else ast.unparse(reason)
            )


def test_w22_nothing_is_left_out_for_want_of_a_package() -> None:
    """W22: upstream's tests of Lua are left out where the extension is missing, and all is green."""
    found = [
        (path.name, reason)
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        for reason in left_out(path.read_text(encoding="utf-8"))
    ]
    assert found == [*LEFT_OUT.items()]
