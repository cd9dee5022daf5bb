"""What an integration does: keep secrets, read in reads, work on its emulator. No service is asked."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kosmo_lua.errors import KosmoError, ServiceError
from kosmo_lua.integration import Api, Credentials, Function
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.pages import sample
from kosmo_lua.testing.invocation import invoke
from kosmo_lua.testing.subject import Subject
from kosmo_lua.values import Json

_ANSWERS: tuple[Json, ...] = (None, {})
"""What a service that is not there answers: an error, and an object without content."""

_READS = {"GET", "HEAD"}

_PATIENCE = 20
"""So many requests of one call are answered; a function that waits for more would wait for ever."""


def _check_secrets_are_kept(subject: Subject) -> Iterator[str]:
    try:
        credentials = subject.integration.credentials(**subject.values)
    except Exception as error:  # noqa: BLE001  # a validator may raise anything
        if subject.is_leaked(str(error)):
            yield "the error of wrong credentials shows a secret: leave values out of its message"
        yield "made-up credentials are refused: pass check_integration(..., settings={...})"
        return
    if subject.is_leaked(f"{credentials!r} {credentials}"):
        yield "the repr of the credentials shows a secret: make it a SecretStr"
    if subject.is_leaked(repr(subject.integration.api(credentials))):
        yield "the repr of the Api shows a secret"
    for function in [*subject.functions, *subject.integration.checks.values()]:
        outcomes = [_outcome(subject, function, credentials, answer) for answer in _ANSWERS]
        if subject.is_leaked(*outcomes):
            yield f"{function.name} shows a secret in an error or in its result"


def _outcome(subject: Subject, function: Function, credentials: Credentials, answer: Json) -> str:
    """Return as text what a call gives that gets this answer from the service."""
    api = _answer_with(answer, subject.integration.api(credentials), [])
    try:
        return json.dumps(invoke(function, api, sample(function)))
    except KosmoError as error:
        return f"{error!r} {error.facts()}"
    except Exception as error:  # noqa: BLE001  # a defect, whose message the user would see
        return repr(error)


def _answer_with(answer: Json, api: Api[Any], methods: list[str]) -> Api[Any]:
    """Let the client note what it would send, and send nothing; the answer None is an error."""

    def request(method: str, url: str, **_: object) -> Json:  # noqa: ARG001  # as Api has it
        methods.append(method)
        if answer is None or len(methods) > _PATIENCE:
            message = "the service failed"
            raise ServiceError(message, status=500)
        return answer

    api.request = request  # type: ignore[method-assign]  # this object's only
    return api


def _check_reads_only_read(subject: Subject) -> Iterator[str]:
    methods: list[str] = []
    with _watched(subject, methods) as kosmo:
        for function in [function for function in subject.functions if function.access == "read"]:
            methods.clear()
            with suppress(KosmoError):
                kosmo.call(function.full_name, sample(function))
            mend = "its pages may only read" if function.pages else "declare it with .write()"
            for method in sorted({*methods} - _READS):
                yield f"{function.name} is a read and sends {method}: {mend}"


def _check_checks_only_read(subject: Subject) -> Iterator[str]:
    methods: list[str] = []
    with _watched(subject, methods) as kosmo:
        failures: dict[str, str] = {}
        with suppress(KosmoError):  # of the settings or of the emulator, which other checks tell
            checks = kosmo.check(subject.integration.name).facts.checks
            failures = {each.key: each.message for each in checks if each.state == "failed"}
        for method in sorted({*methods} - _READS):
            yield f"a check of credentials sends {method}: it must change nothing"
        for key, message in failures.items() if subject.integration.emulation else ():
            yield f"the check of {key} fails on the emulator: {message}"


def _accepts(subject: Subject) -> bool:
    """Whether the made-up credentials are taken; another check tells when not."""
    try:
        subject.integration.credentials(**subject.values)
    except Exception:  # noqa: BLE001  # a validator may raise anything
        return False
    return True


def _check_dry_runs_show_no_secret(subject: Subject) -> Iterator[str]:
    prefix = f"KOSMO_{subject.integration.name}_".upper()
    environ = {f"{prefix}{name.upper()}": value for name, value in subject.values.items()}
    with Kosmo(integrations=[subject.integration], environ=environ, retry_budget=0) as kosmo:
        for function in subject.functions if _accepts(subject) else ():
            shown = kosmo.attempt(function.full_name, sample(function), dry_run=True).to_json()
            if subject.is_leaked(shown):
                yield f"{function.name} shows a secret in a dry run"


def _watched(subject: Subject, methods: list[str]) -> Kosmo:
    """Return a Kosmo that notes the method of each request.

    Requests go to the emulator; without one nothing is sent, and a call ends with its first request.
    """
    emulated = subject.integration.emulation is not None

    def api(credentials: Credentials) -> Api[Any]:
        made: Api[Any] = subject.integration.api(credentials)
        return _note_methods(made, methods) if emulated else _answer_with(None, made, methods)

    prefix = f"KOSMO_{subject.integration.name}_".upper()
    return Kosmo(
        integrations=[replace(subject.integration, api=api)],
        environ={f"{prefix}{name.upper()}": value for name, value in subject.values.items()},
        emulator=emulated,
        retry_budget=0,
    )


def _note_methods(api: Api[Any], methods: list[str]) -> Api[Any]:
    send = api.request

    def request(method: str, url: str, **rest: Any) -> Json:  # noqa: ANN401  # passed on as they are
        methods.append(method)
        return send(method, url, **rest)

    api.request = request  # type: ignore[method-assign]  # this object's only
    return api


def _check_examples_run(subject: Subject) -> Iterator[str]:
    if subject.integration.emulation is None:
        return
    kosmo = Kosmo(integrations=[subject.integration], environ={}, emulator=True, retry_budget=0)
    with kosmo:
        try:
            kosmo.emulator.start()
        except KosmoError as error:
            yield error.message
            return
        for function in subject.functions:
            for example in function.examples:
                kosmo.emulator.reset()
                result = kosmo.run(example, name="example")
                if not result.success:
                    yield f"{function.name}: the example fails on the emulator: {result.error}"


CHECKS = (
    _check_secrets_are_kept,
    _check_reads_only_read,
    _check_checks_only_read,
    _check_dry_runs_show_no_secret,
    _check_examples_run,
)
