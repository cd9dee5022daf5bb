"""Which integrations and functions there are, and which one a name means."""

from collections.abc import Iterable, Iterator, Mapping
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


class Integrations(Mapping[str, "Integration[Any]"]):
    """The integrations by name. One of an installed package is loaded when it is asked for.

    To go through them loads all; `names` loads none, and so has those that cannot be loaded, too.
    """

    def __init__(
        self, integrations: Iterable["Integration[Any]"], entries: Iterable[EntryPoint] = ()
    ) -> None:
        self._found: dict[str, Integration[Any] | None] = {
            each.name: each for each in integrations
        }
        self._entries: dict[str, list[EntryPoint]] = {}
        for entry in sorted(entries, key=lambda entry: entry.name):
            self._entries.setdefault(entry.name, []).append(entry)
        self.names = [*self._found, *self._entries]
        self.problems: dict[str, list[str]] = {}
        """Why one is absent, of those that were asked for so far, by the name of the entry point."""

    def only(self, names: Iterable[str]) -> "Integrations":
        """Return those of these names; what was loaded here is not loaded again."""
        chosen = Integrations([])
        chosen.names = [name for name in self.names if name in {*names}]
        chosen._found = self._found  # noqa: SLF001  # of the same class
        chosen._entries = {  # noqa: SLF001  # the same
            name: self._entries[name] for name in chosen.names if name in self._entries
        }
        chosen.problems = self.problems
        return chosen

    def __getitem__(self, name: str) -> "Integration[Any]":
        if name not in self.names:
            raise KeyError(name)
        if name not in self._found:
            self._found[name] = self._load(name, self._entries[name])
        integration = self._found[name]
        if integration is None:
            raise KeyError(name)
        return integration

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, name: str, entries: list[EntryPoint]) -> "Integration[Any] | None":
        """Load the integration that installed packages offer under this name: of several, the first."""
        found, problems = None, []
        for entry in entries:
            try:
                integration = _load(entry)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's package may raise anything
                reason = f"{type(error).__name__}: {error}"
                problems.append(f"integration {entry.name} cannot be loaded: {reason}")
            else:
                if integration.name == name and not found:
                    found = integration
                else:
                    problems.append(self._misnamed(entry, integration.name))
        self.problems[name] = problems
        return found

    def _misnamed(self, entry: EntryPoint, own: str) -> str:
        if own in self._entries:
            return f"integration {entry.value} has the name of another one"
        return f"integration {entry.value} is named {own}, and its entry point {entry.name}"


class Catalog:
    """The integrations and what their functions are called. A broken integration costs only itself."""

    def __init__(
        self, integrations: Iterable["Integration[Any]"], entries: Iterable[EntryPoint] = ()
    ) -> None:
        self.integrations = Integrations(integrations, entries)

    @classmethod
    def installed(cls) -> "Catalog":
        """Return what installed packages offer, each integration loaded when it is asked for."""
        return cls([], entry_points(group=GROUP))

    def only(self, names: Iterable[str]) -> "Catalog":
        """Return the catalog of these integrations alone.

        Raises:
            UnknownIntegration: there is none of a name; names the nearest ones.
        """
        chosen = Catalog([])
        chosen.integrations = self.integrations.only([self._known(name) for name in names])
        return chosen

    def _known(self, name: str) -> str:
        return name if name in self.names else self.integration(name).name

    @property
    def names(self) -> list[str]:
        """The names of the integrations, also of those that cannot be loaded; loads none."""
        return self.integrations.names

    @property
    def problems(self) -> list[str]:
        """Why integrations are absent; loads all."""
        return [problem for name in self.names for problem in self.problems_of(name)]

    def problems_of(self, name: str) -> list[str]:
        """Return why the integration of this name is absent, or another one of the same name; loads it."""
        self.integrations.get(name)
        return self.integrations.problems.get(name, [])

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
        for integration in self.names:
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
