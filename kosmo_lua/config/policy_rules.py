"""Rules of the policy, such as `segment@production.* = "ask"`."""

import re
from typing import NamedTuple, Self

from kosmo_lua.config.spelling import in_variable
from kosmo_lua.errors import ConfigError

DECISIONS = ("allow", "ask", "deny")
"""From the mildest to the strictest."""

_PATTERN = re.compile(
    r"(?:(?P<integration>(?:mcp\.)?[a-z_][a-z0-9_]*)(?:@(?P<account>[^.@\s]+))?\.)?(?P<what>\*|[A-Za-z_][A-Za-z0-9_]*)"
)


class Rule(NamedTuple):
    """What a pattern of calls is answered.

    write                             every write
    segment.write, segment.*          every write of an integration, every call
    posthog.delete_feature_flag       one function
    segment@production.write          the same for one account
    mcp.my_server.write, mcp.write    every write of an MCP server, of all of them
    """

    decision: str
    what: str
    integration: str | None = None
    account: str | None = None
    source: str = ""
    pattern: str = ""

    @classmethod
    def of(cls, pattern: str, decision: object, source: str) -> Self:
        """Read a rule.

        Raises:
            ConfigError: it makes no sense.
        """
        found = _PATTERN.fullmatch(pattern)
        if not found or (found["integration"] is None and found["what"] not in ("read", "write")):
            message = f"{source}: {pattern!r} is no rule of the policy"
            hint = 'Rules are "write", "segment.write", "segment.track_event", "segment@production.*".'
            raise ConfigError(message, hint=hint)
        if found["integration"] == "mcp" and found["what"] not in ("*", "read", "write"):
            message = f"{source}: the rule {pattern} does not say which calls"
            raise ConfigError(message, hint=f'Write "{pattern}.write" or "{pattern}.*".')
        if decision not in DECISIONS:
            raise ConfigError(f"{source}: the rule {pattern} must be allow, ask or deny")
        return cls(
            str(decision), found["what"], found["integration"], found["account"], source, pattern
        )

    def matches(self, integration: str, names: tuple[str, ...], access: str, account: str) -> bool:
        """Whether the rule is about this call; `names` are the spellings of its function."""
        whose = (None, integration, integration.partition(".")[0])  # "mcp" is every MCP server
        if self.integration not in whose or self.what not in ("*", access, *names):
            return False
        return self.account is None or in_variable(self.account) == in_variable(account)

    @property
    def strictness(self) -> int:
        """How strict it is: 0 to 2."""
        return DECISIONS.index(self.decision)

    @property
    def precision(self) -> tuple[int, int, int]:
        """How exactly it says what it is about: which calls, of which integration, with which account."""
        what = {"*": 0, "read": 1, "write": 1}.get(self.what, 2)
        return what, _parts(self.integration), int(self.account is not None)

    def is_sharper_than(self, other: "Rule") -> bool:
        """Whether it says something more exactly than the other."""
        return any(a > b for a, b in zip(self.precision, other.precision, strict=True))


def _parts(integration: str | None) -> int:
    return integration.count(".") + 1 if integration else 0


def decide(rules: list[Rule]) -> Rule | None:
    """Return the rule that counts among those that match: the most specific, and of several the strictest."""
    best = [
        rule
        for rule in rules
        if not any(each.is_sharper_than(rule) and not rule.is_sharper_than(each) for each in rules)
    ]
    return max(best, key=lambda rule: rule.strictness, default=None)
