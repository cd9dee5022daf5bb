"""Minting: the events of calls that go out with others. As there are many, each costs as little as it can."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.clients import Clients
from kosmo_lua.calls.equipment import Equipment
from kosmo_lua.catalog import Target
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # httpx, as in equipment
    from kosmo_lua.http import Api, Event, Exchange
    from kosmo_lua.journal import Record

Permit = Callable[[Target, JsonObject], bool]
"""Raises when a call is not permitted; else returns whether all like it are, whatever their arguments."""


class _Settled(NamedTuple):
    """What makes an event of arguments that nobody has to be asked about."""

    api: "Api[Any]"
    exchange: "Exchange"
    parse: Callable[[bytes], object]
    make: "Callable[[Api[Any], object], Event]"


class Mint:
    """Makes the events of one function with one account, for one batch.

    One call makes all of them, because it sends nothing: it says with which client they go out. Where that is
    found, and that all are permitted, is settled by the first of them.
    """

    def __init__(
        self,
        clients: Clients,
        equipment: Equipment,
        permit: Permit,
        record: "Record",
        target: Target,
    ) -> None:
        self.target = target
        self.call = Call(0, target, {}, record, target.function.log_name)
        self._clients = clients
        self._equipment = equipment
        self._permit = permit
        self._permitted = False
        self._settled: _Settled | None = None

    def quick(self, text: bytes) -> "Event | None":
        """Return the event of arguments that are JSON, which nobody looks at for anything else.

        None: `event` must make it, or say what is wrong with them.

        Raises:
            Exception: as `event`.
        """
        if self._settled is None:
            return None
        api, exchange, parse, make = self._settled
        try:
            checked = parse(text)
        except Exception:  # noqa: BLE001  # `event` comes to the same, and says it in a sentence
            return None
        api.begin(exchange)
        event = make(api, checked)
        api.batches.check(event.content, api.title)
        if exchange.warnings:
            self.call.warn()
        return event

    def event(self, arguments: JsonObject) -> "Event":
        """Return an event.

        Raises:
            Exception: whatever makes a call fail before it sends.
        """
        function, call = self.target.function, self.call
        if not call.api:
            self._clients.find(self.target)
        checked = function.validate(arguments)
        if not self._permitted:
            self._permitted = self._permit(self.target, arguments)
        self._identify(arguments)
        assert call.api is not None, "it was equipped"
        assert function.event is not None, "Lua was told so"
        event = function.event(call.api, checked)
        call.api.batches.check(event.content, call.api.title)
        call.warn()
        if not self._settled and self._permitted and not self._equipment.repeats:
            self._settle()
        return event

    def _settle(self) -> None:
        """Let `quick` make the next events."""
        function, call = self.target.function, self.call
        if function.parser and function.event and call.api and call.exchange:
            self._settled = _Settled(call.api, call.exchange, function.parser(), function.event)

    def _identify(self, arguments: JsonObject) -> None:
        """Give the call the identity of the next event, and what it makes all of them with."""
        call = self.call
        if call.exchange and call.api:
            identity = self._equipment.identity(call.name, self.target.account, arguments)
            call.exchange.identity = identity
        else:
            call.arguments = arguments
            self._equipment.equip(call)
        assert call.api is not None, "it was equipped"
        assert call.exchange is not None, "the same"
        call.api.begin(call.exchange)
