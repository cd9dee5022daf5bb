"""Who may do what: allow, ask or deny, for the calls of an integration, of a function, of an account.

Reads are allowed and writes are asked about, unless a rule says otherwise: `KOSMO_SEGMENT_WRITE=allow` in the
environment, or a line of the policy in the user's config.toml. The most specific rule counts. A project's
kosmo.toml can only make the answer stricter. `force` lifts ask and deny, unless a file says
`allow_force = false`; `read_only` denies every write, whatever else is said. On the emulator nothing real can
happen, so the rest is allowed there.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from kosmo_lua.config import Config
from kosmo_lua.config.policy_rules import Rule, decide
from kosmo_lua.errors import ApprovalRequired, ConfigError, Denied
from kosmo_lua.results import Access
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Function


class Question(NamedTuple):
    """What somebody is asked to approve."""

    function: str
    account: str
    arguments: JsonObject
    access: Access = "write"


Ask = Callable[[Question], bool]

_DEFAULTS = [Rule("allow", "read"), Rule("ask", "write")]


class Policy:
    """Decides, once per call and before credentials are loaded, whether it may go on.

    `remedy` returns the command that would have allowed it, for the hint, or "" where there is none;
    embedders leave it out.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        config: Config | None = None,
        force: bool = False,
        emulated: bool = False,
        read_only: bool = False,
        ask: Ask | None = None,
        remedy: Callable[[], str] | None = None,
    ) -> None:
        self._environ = environ
        self._config = config or Config()
        self._unrestricted = force or emulated
        self._read_only = read_only
        self._ask = ask
        self._remedy = remedy
        self._rules = [*self._config.rules()]
        self._decided: dict[tuple[str, str, str | None], Rule] = {}
        """The rule of each call that was made before, by the value of its variable."""

    def permit(self, function: "Function", account: str, arguments: JsonObject) -> bool:
        """Return when the call may go on: True if every call of the function with the account may, unasked.

        Raises:
            Denied: the policy says deny, the integration is disabled, or the run is read-only.
            ApprovalRequired: it says ask, and there was nobody to ask or the answer was no.
            ConfigError: its variable holds something else.
        """
        if self._read_only and function.access == "write":
            message = "this run is read-only, and the function writes"
            hint = "Run it without --read-only; as a tool of a coding agent, with run_write."
            raise Denied(message, hint=hint)
        if not self._config.enabled(function.integration):
            message = f"the integration {function.integration} is disabled"
            command = f"kosmo integrations:configure {function.integration} --enable"
            raise Denied(message, hint=f"Run: {command}")
        rule = self.rule(function, account)
        if self._unrestricted or rule.decision == "allow":
            return True
        self._refuse_or_ask(
            rule, Question(function.full_name, account, arguments, function.access)
        )
        return False

    def _refuse_or_ask(self, rule: Rule, question: Question) -> None:
        integration = question.function.rpartition(".")[0]
        kind = f"{question.access} {'to' if question.access == 'write' else 'from'} {integration}"
        hint = self._hint(rule, _variable_of(integration, question.access))
        if rule.decision == "deny":
            raise Denied(f"the policy denies {_which(rule, kind)}", hint=hint)
        if not self._ask:
            message = f"a {kind} needs approval, and there was nobody to ask"
            raise ApprovalRequired(message, hint=hint)
        if not self._ask(question):
            raise ApprovalRequired(f"a {kind} was not approved", hint=hint)

    def _hint(self, rule: Rule, variable: str) -> str:
        """Say what would allow a call: a variable does nothing against a rule of a file."""
        other = f"change that rule in {rule.source}" if rule.pattern else f"set {variable}=allow"
        try:
            self._config.check_force()
        except Denied:
            return f"{other[0].upper()}{other[1:]}."
        command = self._remedy() if self._remedy else "Kosmo(force=True)"
        if not command:
            return f"{other[0].upper()}{other[1:]}."
        return f"Allow it with {command}, or {other}."

    def decision(self, integration: str, access: Access, account: str = "default") -> str:
        """Return what is decided for a function of this access that no rule names, with an account.

        Raises:
            ConfigError: a variable is neither allow, ask nor deny.
        """
        if self._unrestricted:
            return "allow"
        return self._rule((integration, (), access, account)).decision

    def rule(self, function: "Function", account: str) -> Rule:
        """Return the rule that counts for the calls of a function with an account.

        Raises:
            ConfigError: a variable is neither allow, ask nor deny.
        """
        variable = self._environ.get(_variable_of(function.integration, function.access))
        call = (function.full_name, account, variable)
        if call not in self._decided:  # the files stay as they were read; a variable may change
            names = (*function.spellings, *(function.lists.spellings if function.lists else ()))
            about = (function.integration, names, function.access, account)
            self._decided[call] = self._rule(about)
        return self._decided[call]

    def rules_of(
        self, integration: str, names: tuple[str, ...], access: Access, account: str
    ) -> list[tuple[Rule, bool]]:
        """Return every rule about a call, and whether it is the one that counts."""
        call = (integration, names, access, account)
        counts = self._rule(call)
        variable = self._variable(integration, access)
        rules = [rule for rule, _ in self._rules if rule.matches(*call)]
        rules += [rule for rule in _DEFAULTS if rule.matches(*call)]
        return [(rule, rule == counts) for rule in ([variable] if variable else []) + rules]

    def allowances(self, integration: str) -> list[Rule]:
        """Return the user's own rules, also of the environment, that name this one and allow something."""
        variables = [self._variable(integration, access) for access in ("read", "write")]
        named = [rule for rule in variables if rule]
        named += [
            r for r, is_project in self._rules if r.integration == integration and not is_project
        ]
        return [rule for rule in named if rule.decision == "allow"]

    def _rule(self, call: tuple[str, tuple[str, ...], Access, str]) -> Rule:
        about = [(rule, is_project) for rule, is_project in self._rules if rule.matches(*call)]
        own = [rule for rule, is_project in about if not is_project]
        project = decide([rule for rule, is_project in about if is_project])
        if variable := self._variable(call[0], call[2]):
            own = [
                variable,
                *(rule for rule in own if rule.is_sharper_than(variable)),
            ]
        defaults = [rule for rule in _DEFAULTS if rule.matches(*call)]
        mine = decide(own) or defaults[0]
        return project if project and project.strictness > mine.strictness else mine

    def _variable(self, integration: str, access: Access) -> Rule | None:
        name = _variable_of(integration, access)
        decision = self._environ.get(name, "").strip().lower()
        if decision and decision not in ("allow", "ask", "deny"):
            raise ConfigError(f"{name} must be allow, ask or deny")
        return Rule(decision, access, integration, source=name) if decision else None


@cache
def _variable_of(integration: str, access: Access) -> str:
    return f"KOSMO_{integration}_{access}".replace(".", "_").upper()


def _which(rule: Rule, kind: str) -> str:
    if not rule.pattern:
        return f"every {kind} ({rule.source}={rule.decision})"
    return f'this {kind} ({rule.pattern} = "{rule.decision}" in {rule.source})'
