"""Retries: when a request is sent again, and after which time. Loaded after the first failure only."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from kosmo_lua.errors import KosmoError, RateLimited
from kosmo_lua.http.exchange import Exchange, Patience
from kosmo_lua.results import Reason

TRIES = 10
"""So often a request is sent, not counting those after which the service said when to try again."""

CONNECT_TRIES = 4
"""The same for a service that was never reached: its address may be wrong."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds: each wait is random, up to the first; the bound doubles each time, up to the longest."""

T = TypeVar("T")

_backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


def again(
    attempt: Callable[[], T],
    failure: KosmoError,
    may_repeat: Callable[[BaseException], bool],
    *,
    exchange: Exchange,
    patience: Patience,
    reached: Callable[[], bool],
) -> T:
    """Make attempts after a first one has failed, until one succeeds.

    `reached` says whether the service was ever there, for this call or an earlier one.

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
        stop=_Stop(patience, reached),
        before_sleep=lambda state: exchange.pause(state.upcoming_sleep, _reason(state)),
        sleep=lambda _: None,  # `pause` has slept: it knows why
        reraise=True,
    )
    return retrying(next_attempt)


class _Stop:
    """Says when to give up: after so many tries, or when the next one would come too late."""

    def __init__(self, patience: Patience, reached: Callable[[], bool]) -> None:
        self._patience = patience
        self._reached = reached
        self._tries = 0

    def __call__(self, state: RetryCallState) -> bool:
        # A service that says when may say so often; one that says "at once" must not be stormed.
        self._tries += _asked(state) < FIRST_WAIT
        most = TRIES if self._reached() else CONNECT_TRIES
        return self._tries >= most or not self._patience.bears(state.upcoming_sleep)


def _wait(state: RetryCallState) -> float:
    """Return the wait that the service has asked for, and otherwise one that grows."""
    asked = _asked(state)
    return asked if asked >= FIRST_WAIT else max(asked, _backoff(state))


def _asked(state: RetryCallState) -> float:
    asked = (_failure(state).details or {}).get("retry_after")
    return float(asked) if isinstance(asked, int | float) else 0.0


def _reason(state: RetryCallState) -> Reason:
    return "rate" if isinstance(_failure(state), RateLimited) else "retry"


def _failure(state: RetryCallState) -> KosmoError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, KosmoError), "nothing else is repeated"
    return error
