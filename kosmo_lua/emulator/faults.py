"""Fault: how requests to an emulator go wrong; and Faults, those that are armed.

Only what a fault is: `middleware` lets one strike.
"""

import json
import threading
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.values import JsonObject


class Fault(BaseModel):
    """How the next matching requests go wrong; never nothing, and a cut goes with a delay only."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    status: int | None = Field(None, ge=200, le=599, examples=[503])
    """Answered instead of the service; without it, `retry_after` means 429, `body` means 200."""
    retry_after: (
        Annotated[float, Field(ge=0, allow_inf_nan=False)]
        | Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]
        | None
    ) = Field(None, examples=[2])
    """The `Retry-After` header: seconds, or an HTTP date."""
    delay: float = Field(0, ge=0, le=3600, allow_inf_nan=False, examples=[0.5])
    """Seconds between the service handling the request and the answer."""
    cut: Literal["before", "during", "after"] | None = Field(None, examples=["after"])
    """Where the connection ends: before the service sees the request, in the middle of its answer,
    or after it handled the request and without an answer."""
    times: int = Field(1, ge=1, examples=[3])
    """How many requests go wrong."""
    path: str | None = Field(None, pattern=r"^[/*]", examples=["/v1/*"])
    """Only requests for this path; one that ends in `*` is a prefix."""
    method: str | None = Field(None, pattern=r"^[A-Za-z]+$", examples=["POST"])
    """Only requests with this method."""
    body: str | None = Field(None, examples=["<h1>Bad gateway</h1>"])
    """The body of the answer, instead of one in the service's manner."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not (self.answer_status or self.delay or self.cut):
            message = "a fault needs a status, retry_after, delay, cut or body, such as status 503"
            raise ValueError(message)
        if self.answer_status and self.cut:
            message = "cut goes without status, retry_after and body: then nothing is answered"
            raise ValueError(message)
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


class Faults:
    """The faults that are armed, in the order in which they strike; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

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
            self._armed.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if one does; it is used up by one."""
        with self._lock:
            for place, fault in enumerate(self._armed):
                if fault.matches(method, path):
                    left = fault.model_copy(update={"times": fault.times - 1})
                    self._armed[place : place + 1] = [left] if left.times else []
                    return fault
        return None

    def armed(self) -> list[JsonObject]:
        """The fields of every fault that has not struck yet, `times` being what is left."""
        with self._lock:
            faults = list(self._armed)
        return [
            fault.model_dump(exclude_defaults=True) | {"times": fault.times} for fault in faults
        ]

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
