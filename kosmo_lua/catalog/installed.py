"""The integrations that installed packages offer, each loaded when it is asked for."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, distributions, entry_points
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # importing it loads pydantic, which only an installed integration may do
    from kosmo_lua.integration import Integration

GROUP = "kosmo.integrations"


def providers() -> list[str]:
    """Return the names under which installed packages offer integrations, without loading any."""
    entries, _ = _offered()
    return sorted({entry.name for entry in entries})


class Integrations(Mapping[str, "Integration[Any]"]):
    """The integrations by name. One of an installed package is loaded when it is asked for.

    To go through them loads all; `names` loads none, and so has those that cannot be loaded, too.
    """

    def __init__(
        self,
        integrations: Iterable["Integration[Any]"],
        entries: Iterable[EntryPoint] = (),
        unreadable: Iterable[str] = (),
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
        self.unreadable = [*unreadable]
        """Of which packages nobody knows what they offer."""

    @classmethod
    def installed(cls) -> Self:
        """Return what installed packages offer."""
        return cls((), *_offered())

    def only(self, names: Iterable[str]) -> "Integrations":
        """Return those of these names; what was loaded here is not loaded again."""
        chosen, wanted = Integrations(()), {*names}
        chosen.names = [name for name in self.names if name in wanted]
        chosen._found, chosen._entries = self._found, self._entries
        chosen.problems, chosen.unreadable = self.problems, self.unreadable
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


def _offered() -> tuple[list[EntryPoint], list[str]]:
    """Return what installed packages offer, and which of them cannot be asked."""
    try:
        return [*entry_points(group=GROUP)], []
    except Exception:  # noqa: BLE001  # a broken file of any package ends it; all others still count
        return _offered_by_each()


def _offered_by_each() -> tuple[list[EntryPoint], list[str]]:
    seen, entries, unreadable = set[str](), list[EntryPoint](), list[str]()
    for package in distributions():
        name = str(package.name).lower().replace("_", "-")
        if name in seen:  # hidden by the one before
            continue
        seen.add(name)
        try:
            entries += package.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001  # the broken one
            reason = f"its entry_points.txt cannot be read ({type(error).__name__})"
            unreadable.append(f"package {name}: {reason}; install it again")
    return entries, unreadable


def _load(entry: EntryPoint) -> "Integration[Any]":
    from kosmo_lua.integration import Integration  # noqa: PLC0415  # pydantic, as above

    integration = entry.load()
    if not isinstance(integration, Integration):
        message = f"{entry.value} is not an Integration"
        raise TypeError(message)
    return integration
