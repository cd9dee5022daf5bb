"""Every error of kosmo: its code, its exit status, and what it says.

    KosmoError
    +-- UsageError              usage
    +-- ScriptRefused           syntax_error
    +-- InvalidArguments        invalid_arguments
    +-- UnknownIntegration      unknown_integration
    +-- UnknownFunction         unknown_function
    +-- UnknownAccount          unknown_account
    +-- CredentialsMissing      credentials_missing
    +-- ConfigError             config_error
    +-- ExtraMissing            extra_missing
    +-- Denied                  denied
    +-- ApprovalRequired        approval_required
    +-- Untrusted               untrusted
    +-- Unreachable             unreachable
    +-- TimedOut                timed_out
    +-- RateLimited             rate_limited
    +-- ServiceError            service_error
    +-- RegexTimeout            regex_timeout
    +-- NotRecorded             not_recorded
    +-- Interrupted             interrupted
    +-- Defect                  internal

The other codes belong to runs and are never raised: a script's own errors, the limits, interruption, crash, a
dry run that cannot go on.
The codes are a contract: scripts compare `err.code`, and the exit status of the command follows from it.
"""

from typing import ClassVar, Literal, NamedTuple

from kosmo_lua.values import JsonObject

CLOSED_STDOUT = 141
"""The exit status when nobody reads stdout any more: as a shell shows a command that SIGPIPE ended."""

SIGNALS = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}
"""The signals that end a run, and the exit status of each: 128 and its number, as a shell shows it."""

Effect = Literal["none", "sent", "unknown"]
"""What became of a request: nothing left the machine, the service answered, or nobody can know."""


class Meaning(NamedTuple):
    """What a code stands for: the exit status of a run that ends with it, and a sentence for the docs."""

    exit_status: int
    sentence: str


CODES: dict[str, Meaning] = {
    "syntax_error": Meaning(1, "The script is not valid Lua."),
    "script_error": Meaning(1, "The script itself raised an error."),
    "regex_timeout": Meaning(1, "A regular expression took longer than its time limit."),
    "usage": Meaning(2, "The command line was wrong."),
    "partial": Meaning(3, "Some of the writes of the run were not accepted."),
    "dry_run_incomplete": Meaning(
        3, "A dry run needs the answer to a write: its plan ends there."
    ),
    "invalid_arguments": Meaning(65, "The arguments do not fit the function."),
    "unknown_function": Meaning(65, "There is no such function; nothing was sent."),
    "unknown_integration": Meaning(65, "There is no such integration; nothing was sent."),
    "not_recorded": Meaning(65, "The recording that is replayed does not have the call."),
    "unreachable": Meaning(69, "The service could not be reached, or cut the connection."),
    "service_error": Meaning(69, "The service answered with an error."),
    "crash": Meaning(70, "The process of the script ended without a word."),
    "internal": Meaning(70, "A defect of kosmo; please report it."),
    "rate_limited": Meaning(75, "The service answered 429: it asks to slow down."),
    "timed_out": Meaning(75, "The service did not answer in time."),
    "denied": Meaning(77, "The policy denies the call; nothing was sent."),
    "approval_required": Meaning(
        77, "The call is a write that nobody approved; nothing was sent."
    ),
    "untrusted": Meaning(77, "The source of the call is not trusted; nothing was sent."),
    "credentials_missing": Meaning(78, "The account lacks the credential that the call needs."),
    "unknown_account": Meaning(78, "No account of that name is configured."),
    "extra_missing": Meaning(78, "An optional part of kosmo is not installed."),
    "config_error": Meaning(78, "A setting has a value that cannot be used."),
    "cpu_limit": Meaning(124, "The script used up its CPU time."),
    "wall_limit": Meaning(124, "The run took longer than its time limit."),
    "memory_limit": Meaning(124, "The script used up its memory."),
    "output_limit": Meaning(124, "The script printed more than the output limit."),
    "result_limit": Meaning(124, "The script returned more than the result limit."),
    "call_limit": Meaning(124, "The script made more calls than the call limit."),
    "interrupted": Meaning(
        SIGNALS["SIGINT"], "The run was stopped by Ctrl-C (130), SIGTERM (143) or SIGHUP (129)."
    ),
}
"""Every code that a run can end with. A retryable failure after a write of the same run exits with 3."""


class KosmoError(Exception):
    """An error that a caller can act on: `except KosmoError as error: error.code, error.hint`.

    `message` is one sentence: what failed and on what. `hint` says what to do next. `effect` tells
    whether the request may have reached the service; `retryable` whether the same call may succeed later.
    """

    code: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        effect: Effect = "none",
        details: JsonObject | None = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status
        self.retryable = retryable
        self.effect: Effect = effect
        self.details = details
        self.function: str | None = None
        """The function that was called, once the call path knows it."""

    @property
    def message(self) -> str:
        """The sentence. The call path adds to it which function failed, and hides secrets."""
        return str(self.args[0])

    @message.setter
    def message(self, sentence: str) -> None:
        self.args = (sentence,)

    def facts(self) -> JsonObject:
        """The error as a script sees it: the fields of the Lua error table."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "function": self.function,
            "status": self.status,
            "retryable": self.retryable,
            "effect": self.effect,
            "details": self.details,
        }


class UsageError(KosmoError):
    """The command line, or a call of the Python API, makes no sense."""

    code = "usage"


class ScriptRefused(KosmoError):
    """The script cannot be compiled."""

    code = "syntax_error"


class InvalidArguments(KosmoError):
    """The arguments do not fit the function. `details["problems"]` lists every one."""

    code = "invalid_arguments"


class UnknownIntegration(KosmoError):
    """No installed package offers an integration of that name."""

    code = "unknown_integration"


class UnknownFunction(KosmoError):
    """The integration has no function of that name."""

    code = "unknown_function"


class UnknownAccount(KosmoError):
    """No account of that name is configured."""

    code = "unknown_account"


class CredentialsMissing(KosmoError):
    """The account lacks the credential that the function needs."""

    code = "credentials_missing"


class ConfigError(KosmoError):
    """A setting has a value that cannot be used. The value itself is never shown."""

    code = "config_error"


class ExtraMissing(KosmoError):
    """An optional dependency is not installed; the hint names the command that installs it."""

    code = "extra_missing"


class Denied(KosmoError):
    """The policy denies the call."""

    code = "denied"


class ApprovalRequired(KosmoError):
    """The policy asks, and there was nobody to ask, or the answer was no."""

    code = "approval_required"


class Untrusted(KosmoError):
    """A project defines the MCP server, and the user has not approved of it."""

    code = "untrusted"


class Unreachable(KosmoError):
    """No connection to the service, or the connection broke before an answer."""

    code = "unreachable"


class TimedOut(KosmoError):
    """The service did not answer in time."""

    code = "timed_out"


class RateLimited(KosmoError):
    """The service answered 429. `details["retry_after"]` is the wait in seconds, where it said so."""

    code = "rate_limited"


class ServiceError(KosmoError):
    """The service answered with an error, or with something that is not what it documents."""

    code = "service_error"


class RegexTimeout(KosmoError):
    """A regular expression ran, or compiled, longer than its time limit."""

    code = "regex_timeout"


class NotRecorded(KosmoError):
    """A replay was asked for a call that its recording does not have."""

    code = "not_recorded"


class Interrupted(KosmoError):
    """Ctrl-C (SIGINT), SIGTERM or SIGHUP; of a call, any end of its run."""

    code = "interrupted"

    def __init__(self, name: str | None = None) -> None:
        if name is None:  # of a call, which is not told why
            super().__init__("the run ended before the call returned")
            return
        if name == "stop":
            super().__init__("stopped by the program that runs it")
            return
        sentence = "stopped by Ctrl-C" if name == "SIGINT" else f"stopped by {name}"
        super().__init__(sentence, details={"signal": name})


class Defect(KosmoError):
    """Code that should not fail did: kosmo's own, or an integration's."""

    code = "internal"
