"""Fault: how requests to an emulator go wrong; and Faults, those that are armed.

Only what a fault is: `middleware` lets one strike.
"""

import json
import threading
from collections.abc import Mapping
from random import Random
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.values import JsonObject

Cut = Literal["request", "before", "after", "head", "during", "idle"]
"""Where a connection ends, in the order of time: amid the request; before the service sees it; after
the service handled it and without an answer; amid the head of the answer, or amid its body; behind a
whole answer, while the client may think that it lives on."""

_HEADER = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
_TEXT = r"^([!-~]([ -~]*[!-~])?)?$"


class Fault(BaseModel):
    """How the next matching requests go wrong; never nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    status: int | None = Field(None, ge=200, le=599, examples=[503])
    """Answered instead of the service; without it, `retry_after` means 429, `body` means 200."""
    retry_after: (
        Annotated[float, Field(ge=0, allow_inf_nan=False)]
        | Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]
        | None
    ) = Field(None, examples=[2])
    """The `Retry-After` header: seconds, or an HTTP date."""
    headers: dict[
        Annotated[str, Field(pattern=_HEADER)], Annotated[str, Field(pattern=_TEXT)] | None
    ] = Field({}, examples=[{"X-RateLimit-Reset": "2"}])
    """Headers that the answer has instead of its own; null takes one away.

    After an answer whose `Content-Length` is not that of its body the connection ends."""
    delay: float = Field(0, ge=0, le=3600, allow_inf_nan=False, examples=[0.5])
    """Seconds between the service handling the request and the answer."""
    cut: Cut | None = Field(None, examples=["after"])
    """Where the connection ends. What is not answered has no status, body or headers."""
    times: int | None = Field(None, ge=1, examples=[3])
    """How many requests go wrong. Without it one does or, with `chance`, there is no end."""
    chance: float | None = Field(None, gt=0, le=1, examples=[0.2])
    """The share of the matching requests that go wrong, each at random; 1 is every one."""
    seed: int | None = Field(None, examples=[1])
    """What the chances follow from: the same requests in the same order go wrong again."""
    path: str | None = Field(None, pattern=r"^[/*]", examples=["/v1/*"])
    """Only requests for this path; one that ends in `*` is a prefix."""
    method: str | None = Field(None, pattern=r"^[A-Za-z]+$", examples=["POST"])
    """Only requests with this method."""
    body: str | None = Field(None, examples=["<h1>Bad gateway</h1>"])
    """The body of the answer, instead of one in the service's manner."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not (self.answer_status or self.headers or self.delay or self.cut):
            message = "a fault needs a status, retry_after, headers, delay, cut or body"
            raise ValueError(f"{message}, such as status 503")
        if self.cut in {"request", "before", "after"} and (self.answer_status or self.headers):
            message = (
                f"cut {json.dumps(self.cut)} goes without status, retry_after, headers and body"
            )
            raise ValueError(f"{message}: then nothing is answered")
        if self.seed is not None and self.chance is None:
            raise ValueError("seed goes with chance, for example chance 0.2")
        for name, value in self.headers.items():
            _check_framing(name.lower(), value)
        return self

    @property
    def answer_status(self) -> int | None:
        """The status of the answer that is given instead of the service's, if one is."""
        if self.status is not None:
            return self.status
        if self.retry_after is not None:
            return 429
        return None if self.body is None else 200

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault is for such a request."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.path is not None and self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return self.path in {None, path}


def _check_framing(name: str, value: str | None) -> None:
    """Refuse what the server could not send: it writes the answer by these headers."""
    if name == "content-length" and not (value is None or (value.isdecimal() and len(value) < 20)):  # noqa: PLR2004  # h11's limit
        raise ValueError(f"Content-Length is a number of bytes or null, not {json.dumps(value)}")
    if name == "transfer-encoding" and value not in {None, "chunked"}:
        raise ValueError(f'Transfer-Encoding is "chunked" or null, not {json.dumps(value)}')


class _Armed:
    """A fault, how often it will strike yet, and its dice."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times or (None if fault.chance else 1)
        self._random = Random(fault.seed)  # noqa: S311  # dice, no secret

    def strikes(self) -> bool:
        """Throw the dice; a strike is counted."""
        if self.fault.chance is not None and self._random.random() >= self.fault.chance:
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def fields(self) -> JsonObject:
        """The fields of the fault, `times` being what is left, or null where there is no end."""
        return self.fault.model_dump(exclude_defaults=True) | {"times": self.left}


class Faults:
    """The faults that are armed, in the order in which they strike; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def arm(self, fields: Mapping[str, object]) -> None:
        """Arm a fault.

        Raises:
            InvalidArguments: the fields make no fault; names the field and a valid value.
        """
        try:
            fault = Fault.model_validate(fields)
        except ValidationError as error:
            raise InvalidArguments(_sentence(error.errors()[0])) from error
        with self._lock:
            self._armed.append(_Armed(fault))

    def take(self, method: str, path: str, *, amid: bool = False) -> Fault | None:
        """The fault that strikes this request, if one does; it is used up by one.

        With `amid`, one that strikes before the request is there as a whole; without, any other.
        """
        if not self._armed:  # the usual case, on every request
            return None
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if (fault.cut == "request") is not amid or not fault.matches(method, path):
                    continue
                if armed.strikes():
                    if armed.left == 0:
                        self._armed.remove(armed)
                    return fault
        return None

    def armed(self) -> list[JsonObject]:
        """The fields of every fault that may strike yet, `times` being what is left."""
        with self._lock:
            return [armed.fields() for armed in self._armed]

    def disarm(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()


def _sentence(problem: ErrorDetails) -> str:
    """One problem of pydantic's list as a sentence that names the field and a valid value."""
    fields = Fault.model_fields
    name = str(problem["loc"][0]) if problem["loc"] else None
    if problem["type"] == "value_error":
        return f"{problem['ctx']['error']}."
    if name is None:
        return f"A fault must be an object of the fields {', '.join(fields)}."
    if name not in fields:
        return f"A fault has no field {name!r}, only {', '.join(fields)}."
    example = json.dumps((fields[name].examples or [None])[0])
    return f"{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, for example {example}."
