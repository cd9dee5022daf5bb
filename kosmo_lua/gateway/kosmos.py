"""The two Kosmos of a gateway: one that only reads, and one that also writes."""

from collections.abc import Mapping

from kosmo_lua.config import Config
from kosmo_lua.gateway.offer import Offer
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.lua.limits import Limits
from kosmo_lua.mcp.servers import Servers


def check_names(offer: Offer, environ: Mapping[str, str], config: Config) -> None:
    """Return when all that is offered exists.

    Raises:
        UnknownIntegration: something does not.
    """
    for name in offer.upstreams or ():
        Servers(config, environ).find(name)
    _ = Kosmo(only=offer.only, environ=environ, config=config).catalog


def reader_and_writer(
    offer: Offer,
    *,
    environ: Mapping[str, str],
    config: Config,
    limits: Limits,
    audit: str | None,
    emulator: bool,
) -> tuple[Kosmo, Kosmo | None]:
    """Return a Kosmo that denies every write, and, if writes are offered, one that makes them.

    The writer answers what the policy asks with yes, because the client has asked its user for this very
    call; what the policy denies stays denied. Both call the same emulators.

    Raises:
        UnknownIntegration: one that is offered does not exist.
    """

    def make(*, read_only: bool, lent: Kosmo | None) -> Kosmo:
        return Kosmo(
            only=offer.only,
            servers=() if emulator else offer.upstreams,  # they are real, and would be refused
            environ=environ,
            config=config,
            limits=limits,
            audit=audit,
            emulator=lent.emulator if lent and emulator else emulator,
            read_only=read_only,
            ask=None if read_only else lambda _: True,
            isolation="process",
            remedy=lambda: "",  # an agent shall not be told how to force its way
        )

    check_names(offer, environ, config)  # before anything is served
    reader = make(read_only=True, lent=None)
    _ = reader.catalog
    return reader, make(read_only=False, lent=reader) if offer.writes else None
