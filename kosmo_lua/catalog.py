"""Which integrations and functions there are, and which one a name means."""

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from kosmo_lua.errors import UnknownAccount, UnknownFunction, UnknownIntegration

if TYPE_CHECKING:  # importing it loads pydantic, which only an installed integration may do
    from kosmo_lua.integration import Function, Integration

GROUP = "kosmo.integrations"


def providers() -> list[str]:
    """Return the names under which installed packages offer integrations, without loading any."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


class Target(NamedTuple):
    """What a dotted name means."""

    integration: "Integration[Any]"
    function: "Function"
    account: str


class Catalog:
    """The integrations by name. A broken one costs only itself: `problems` says why it is absent."""

    def __init__(
        self, integrations: Iterable["Integration[Any]"], problems: list[str] | None = None
    ) -> None:
        self.integrations = {integration.name: integration for integration in integrations}
        self.problems = problems or []

    @classmethod
    def installed(cls) -> "Catalog":
        """Load every integration that an installed package offers."""
        found: dict[str, Integration[Any]] = {}
        problems = []
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            try:
                integration = _load(entry)
                if integration.name in found:
                    problems.append(f"integration {entry.value} has the name of another one")
                found.setdefault(integration.name, integration)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's package may raise anything
                reason = f"{type(error).__name__}: {error}"
                problems.append(f"integration {entry.name} cannot be loaded: {reason}")
        return cls(found.values(), problems)

    def integration(self, name: str) -> "Integration[Any]":
        """Return an integration.

        Raises:
            UnknownIntegration: names the nearest ones.
        """
        if name in self.integrations:
            return self.integrations[name]
        near = get_close_matches(name, self.integrations, n=3, cutoff=0.5)
        known = ", ".join(self.integrations) or "none"
        suggestion = f"Did you mean: {', '.join(near)}?" if near else f"Installed: {known}."
        message = f"unknown integration {name}. {suggestion}"
        raise UnknownIntegration(message, hint="print(docs.list()) shows what there is.")

    def resolve(self, name: str) -> Target:
        """Find the function that a name in any of its spellings means, and the account in it.

        `segment.track`, `segment.production.track`, `segment.segment_track`, `segment_track`,
        `integrations.segment.track_event` and `app.integrations.segment.track` are all names.

        Raises:
            UnknownIntegration, UnknownFunction, UnknownAccount: name the nearest ones.
        """
        parts = name.removeprefix("app.").removeprefix("integrations.").split(".")
        if len(parts) == 1:
            parts = self._split_slug(name)
        integration = self.integration(parts[0])
        function = self._function(integration, parts[-1] if len(parts) > 1 else "")
        if len(parts) > 3:  # noqa: PLR2004  # integration.account.function
            message = f"unknown account {'.'.join(parts[1:-1])} of {integration.name}"
            raise UnknownAccount(
                message, hint=f"Write {integration.name}.ACCOUNT.{function.name}."
            )
        return Target(integration, function, parts[1] if len(parts) > 2 else "default")  # noqa: PLR2004  # the same

    def _split_slug(self, name: str) -> list[str]:
        for integration in self.integrations:
            if name.startswith(f"{integration}_"):
                return [integration, name]
        return [name]

    def _function(self, integration: "Integration[Any]", name: str) -> "Function":
        for function in integration.functions.values():
            if name in function.spellings:
                return function
        near = ", ".join(_near(name, integration.functions.values()))
        message = f"unknown function app.integrations.{integration.name}.{name}."
        if not name:
            message = f"{integration.name} is an integration, not a function."
        hint = f'print(docs.read("{integration.name}")) lists its functions.'
        raise UnknownFunction(f"{message} Did you mean: {near}?" if near else message, hint=hint)


def _load(entry: EntryPoint) -> "Integration[Any]":
    from kosmo_lua.integration import Integration  # noqa: PLC0415  # pydantic, as above

    integration = entry.load()
    if not isinstance(integration, Integration):
        message = f"{entry.value} is not an Integration"
        raise TypeError(message)
    return integration


def _near(name: str, functions: Iterable["Function"]) -> list[str]:
    """Return the spellings like `name`, the best first, each followed by its function's own name."""
    rated = [
        (SequenceMatcher(None, name, spelling).ratio(), spelling, function.name)
        for function in functions
        for spelling in (function.name, *function.aliases)
    ]
    best = [names for ratio, *names in sorted(rated, reverse=True) if ratio >= 0.6][:2]  # noqa: PLR2004  # difflib's own
    return list(dict.fromkeys(name for names in best for name in names))[:3]
