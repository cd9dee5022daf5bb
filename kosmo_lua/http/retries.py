"""Retries: when a request is sent again, and after which time. Loaded after the first failure only."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from kosmo_lua.errors import KosmoError, RateLimited
from kosmo_lua.http.exchange import Exchange
from kosmo_lua.results import Reason

TRIES = 10
"""So often a request is sent, not counting those after which the service said when to try again."""

CONNECT_TRIES = 4
"""The same for a service that cannot be reached: its address may be wrong."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds: each wait is random, up to the first; the bound doubles each time, up to the longest."""

T = TypeVar("T")

_backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


def again(
    attempt: Callable[[], T],
    failure: KosmoError,
    exchange: Exchange,
    may_repeat: Callable[[BaseException], bool],
) -> T:
    """Make attempts after a first one has failed, until one succeeds.

    Raises:
        KosmoError: the last failure, when it is final, or no time is left for another attempt.
    """
    first = [failure]

    def next_attempt() -> T:
        if first:
            raise first.pop()
        return attempt()

    retrying = Retrying(
        retry=retry_if_exception(may_repeat),
        wait=_wait,
        stop=_Patience(exchange.retry_budget),
        before_sleep=lambda state: exchange.pause(state.upcoming_sleep, _reason(state)),
        sleep=lambda _: None,  # `pause` has slept: it knows why
        reraise=True,
    )
    return retrying(next_attempt)


class _Patience:
    """Says when to give up: after so many tries, or when the next one would come after the budget."""

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._tries = 0

    def __call__(self, state: RetryCallState) -> bool:
        self._tries += _told(state) is None
        most = CONNECT_TRIES if _failure(state).effect == "none" else TRIES
        elapsed = state.seconds_since_start or 0.0
        return self._tries >= most or elapsed + state.upcoming_sleep >= self._budget


def _wait(state: RetryCallState) -> float:
    """Return the wait that the service has asked for, and otherwise one that grows."""
    told = _told(state)
    return _backoff(state) if told is None else told


def _told(state: RetryCallState) -> float | None:
    told = (_failure(state).details or {}).get("retry_after")
    return float(told) if isinstance(told, int | float) else None


def _reason(state: RetryCallState) -> Reason:
    return "rate" if isinstance(_failure(state), RateLimited) else "retry"


def _failure(state: RetryCallState) -> KosmoError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, KosmoError), "nothing else is repeated"
    return error
