"""Who may do what: allow, ask or deny, for reads and for writes of an integration.

Reads are allowed and writes are asked about, unless `KOSMO_SEGMENT_WRITE` or `KOSMO_SEGMENT_READ`
says allow, ask or deny. `--force` lifts ask and deny; on the emulator nothing real can happen.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from kosmo_lua.errors import ApprovalRequired, ConfigError, Denied
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Function


class Question(NamedTuple):
    """What somebody is asked to approve."""

    function: str
    account: str
    arguments: JsonObject


Ask = Callable[[Question], bool]

_DEFAULTS = {"read": "allow", "write": "ask"}


class Policy:
    """Decides, once per call and before credentials are loaded, whether it may go on.

    `remedy` returns the command that would have allowed it, for the hint; embedders leave it out.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        unrestricted: bool = False,
        ask: Ask | None = None,
        remedy: Callable[[], str] | None = None,
    ) -> None:
        self._environ = environ
        self._unrestricted = unrestricted
        self._ask = ask
        self._remedy = remedy

    def permit(self, function: "Function", account: str, arguments: JsonObject) -> None:
        """Return when the call may go on.

        Raises:
            Denied: the policy says deny.
            ApprovalRequired: it says ask, and there was nobody to ask or the answer was no.
            ConfigError: its variable holds something else.
        """
        variable = f"KOSMO_{function.integration}_{function.access}".upper()
        decision = self._decision(variable, function.access)
        if self._unrestricted or decision == "allow":
            return
        kind = f"{function.access} to" if function.access == "write" else f"{function.access} from"
        command = self._remedy() if self._remedy else "Kosmo(force=True)"
        hint = f"Allow it with {command}, or set {variable}=allow."
        if decision == "deny":
            message = f"the policy denies every {kind} {function.integration} ({variable}=deny)"
            raise Denied(message, hint=hint)
        if not self._ask:
            message = (
                f"a {kind} {function.integration} needs approval, and there was nobody to ask"
            )
            raise ApprovalRequired(message, hint=hint)
        if not self._ask(Question(function.full_name, account, arguments)):
            message = f"a {kind} {function.integration} was not approved"
            raise ApprovalRequired(message, hint=hint)

    def decision(self, integration: str, access: str) -> str:
        """Return what the policy says of every read or write of an integration: allow, ask or deny.

        Raises:
            ConfigError: its variable holds something else.
        """
        if self._unrestricted:
            return "allow"
        return self._decision(f"KOSMO_{integration}_{access}".upper(), access)

    def _decision(self, variable: str, access: str) -> str:
        decision = self._environ.get(variable, "").strip().lower() or _DEFAULTS[access]
        if decision not in ("allow", "ask", "deny"):
            message = f"{variable} must be allow, ask or deny"
            raise ConfigError(message)
        return decision
