"""Answer: the outcome of a command that looks something up, as a JSON envelope."""

from typing import Any, NamedTuple

from kosmo_lua.results import ErrorInfo, exit_status, plain, to_text
from kosmo_lua.values import Json, JsonObject


class Answer(NamedTuple):
    """The outcome of a command that looks something up: a record of the type `shape`, or an error."""

    shape: type[Any]
    facts: Any = None
    error: str | None = None
    error_info: ErrorInfo | None = None
    warnings: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        """Whether there is no error."""
        return self.error is None

    @property
    def exit_status(self) -> int:
        """The exit status of the `kosmo` command for this answer."""
        return exit_status(self.error_info)

    def to_dict(self) -> JsonObject:
        """Return the envelope as plain values, in the order in which it is printed."""
        facts = {name: _plain(getattr(self.facts, name, None)) for name in self.shape._fields}
        rest = {name: plain(getattr(self, name)) for name in ("error", "error_info", "warnings")}
        return {"schema_version": 1, "success": self.success, **facts, **rest}

    def to_json(self) -> str:
        """Return the envelope as one JSON document."""
        return to_text(self.to_dict())


def _plain(value: Any) -> Json:  # noqa: ANN401  # a field of a record
    """Return a field as JSON; it may be a dict of records."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return plain(value)
