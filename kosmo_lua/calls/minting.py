"""Minting: the events of calls that go out with others. As there are many, each costs as little as it can."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.clients import Clients
from kosmo_lua.calls.equipment import Equipment
from kosmo_lua.catalog import Target
from kosmo_lua.journal import Record
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # httpx, as in equipment
    from kosmo_lua.http import Event

Permit = Callable[[Target, JsonObject], None]
"""Returns when a call is permitted, and raises otherwise."""


class Mints:
    """Makes events. One call for each account makes all of them, because it sends nothing."""

    def __init__(
        self, clients: Clients, equipment: Equipment, permit: Permit, record: Record
    ) -> None:
        self._clients = clients
        self._equipment = equipment
        self._permit = permit
        self._record = record
        self._mints: dict[tuple[str, str], Call] = {}

    def event(self, target: Target, arguments: JsonObject) -> "tuple[Call, Event]":
        """Return an event, and the call that has made it, which says with which client it goes out.

        Raises:
            Exception: whatever makes a call fail before it sends.
        """
        self._clients.find(target)
        checked = target.function.validate(arguments)
        self._permit(target, arguments)
        mint = self._mint(target, arguments)
        assert mint.api is not None, "it was equipped"
        assert target.function.event is not None, "Lua was told so"
        event = target.function.event(mint.api, checked)
        mint.api.batches.check(event.content, mint.api.title)
        mint.warn()
        return mint, event

    def _mint(self, target: Target, arguments: JsonObject) -> Call:
        key, name = (target.integration.name, target.account), target.function.log_name
        mint = self._mints.get(key)
        if mint is None:
            mint = Call(0, target, arguments, self._record, name)
            api, exchange = self._equipment.equip(mint)
            self._mints[key] = mint
        else:
            assert mint.exchange is not None, "it was equipped"
            api, exchange = self._clients.of(target), mint.exchange
            exchange.identity = self._equipment.identity(name, target.account, arguments)
        api.begin(exchange)
        return mint
