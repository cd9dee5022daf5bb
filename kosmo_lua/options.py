"""Options: what a Kosmo was given, as far as the process of a script needs it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from kosmo_lua.config import Config
from kosmo_lua.config.folders import absolute
from kosmo_lua.errors import ConfigError, UsageError
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Integration

RETRY_BUDGET = 60.0
"""Seconds for which a request is tried again after its first failure."""


class Options(NamedTuple):
    """The options of `Kosmo` that a script's calls depend on; there each is explained."""

    environ: Mapping[str, str]
    config: Config
    integrations: "Sequence[Integration[Any]] | None" = None
    only: Sequence[str] | None = None
    servers: Sequence[str] | None = None
    force: bool = False
    read_only: bool = False
    audited: bool = False
    """Whether a hash of the arguments of each call is recorded."""
    retry_budget: float = RETRY_BUDGET
    run_id: str | None = None
    record: str | None = None
    replay: str | None = None
    dry_run: bool = False
    emulator_url: Callable[[], str] | None = None
    """Returns where the emulator answers, when calls go there."""
    remedy: Callable[[], str] | None = None

    def checked(self) -> Self:
        """Return them when they make sense together; relative paths are those of now.

        Raises:
            ConfigError: a path is relative to a folder that is gone.
            Denied: force, where a file says `allow_force = false`.
            UsageError: two of them exclude each other, or a value cannot be used.
        """
        self._check_modes()
        if self.force:
            self.config.check_force()
        if self.run_id is not None:
            from kosmo_lua.runs import check_run_id  # noqa: PLC0415  # only to repeat a run

            check_run_id(self.run_id)
        return self._replace(
            record=self.record and absolute(self.record),
            replay=self.replay and absolute(self.replay),
        )

    def _check_modes(self) -> None:
        for name in ("record", "replay"):
            if getattr(self, name) == "":  # else what shall only be rehearsed would be done
                message = f"{name} names no file: the name is empty"
                raise UsageError(message, hint="Is a variable that has it not set?")
        if self.record and self.replay:
            raise UsageError("record and replay exclude each other: a replay makes no calls")
        if self.dry_run and (self.record or self.replay):
            other = "record" if self.record else "replay"
            message = (
                f"dry_run and {other} exclude each other: a dry run makes its reads, and no writes"
            )
            raise UsageError(message)
        if self.replay and self.emulator_url:
            raise UsageError("replay and emulator exclude each other: a replay calls nothing")

    def to_json(self) -> JsonObject:
        """Return them as JSON, to be made again in another process.

        Raises:
            UsageError: one of them is a Python object.
        """
        if self.integrations:
            message = "integrations given as Python objects cannot cross to another process"
            raise UsageError(message, hint='Use isolation="thread", or install them as packages.')
        return {
            **self._asdict(),
            "integrations": None if self.integrations is None else [],
            "environ": {**self.environ},
            "config": [self.config.folder, self.config.project_path, self.config.root],
            "only": None if self.only is None else [*self.only],
            "servers": None if self.servers is None else [*self.servers],
            "emulator_url": self.emulator_url() if self.emulator_url else None,
            "remedy": self.remedy() if self.remedy else None,
        }

    @classmethod
    def from_json(
        cls,
        *,
        config: list[str | None],
        emulator_url: str | None,
        remedy: str | None,
        **others: Any,  # noqa: ANN401  # JSON, of the fields above
    ) -> Self:
        """Make them of the JSON of another process."""
        return cls(
            config=Config(*config),
            emulator_url=(lambda: emulator_url) if emulator_url else None,
            remedy=None if remedy is None else lambda: remedy,
            **others,
        )


def retry_budget(environ: Mapping[str, str]) -> float:
    """Return the retry budget of an environment, in seconds.

    Raises:
        ConfigError: KOSMO_RETRY_BUDGET is no such number.
    """
    text = environ.get("KOSMO_RETRY_BUDGET", "").strip() or str(RETRY_BUDGET)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        message = "KOSMO_RETRY_BUDGET must be a number of seconds, 0 or more"
        raise ConfigError(message, hint="For example: KOSMO_RETRY_BUDGET=20")
    return seconds
