"""The one path of a call: find, validate, permit, load the account, invoke, log."""

import json
import time
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import Accounts
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.dry_run import NotSent, PlannedRequest
from kosmo_lua.errors import ApprovalRequired, Defect, InvalidArguments, KosmoError
from kosmo_lua.journal import Record
from kosmo_lua.policy import Policy
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from kosmo_lua.http import Api


_READS_FIRST = (
    "{} reads first: what it writes depends on an answer that a dry run does not ask for"
)


class Calls:
    """Makes the calls of one run. Each is recorded when it starts and when it ends."""

    def __init__(
        self,
        catalog: Catalog,
        accounts: Accounts,
        policy: Policy,
        record: Record,
        *,
        audited: bool = False,
    ) -> None:
        self._accounts = accounts
        self._policy = policy
        self._record = record
        self._resolve = lru_cache(maxsize=256)(catalog.resolve)
        self._audited = audited
        self._apis: dict[tuple[str, str], Api[Any]] = {}
        self._numbers = count(1)

    def call(self, name: str, arguments: Json) -> Json:
        """Call a function with named arguments and return what the service said.

        Raises:
            KosmoError: one of its kinds; `effect` says whether anything was sent.
        """
        target = self._resolve(name)
        if not isinstance(arguments, dict):
            raise self._blamed(target, _not_named(target, arguments))
        return self._call(target, arguments)

    def call_with(self, name: str, values: list[Json]) -> Json:
        """Call a function with positional arguments, in the order of its schema."""
        target = self._resolve(name)
        try:
            arguments = _named(target, values)
        except KosmoError as error:
            raise self._blamed(target, error) from None
        return self._call(target, arguments)

    def check(self, target: Target) -> str:
        """Check a credential; `target.function` is one of the integration's checks.

        Raises:
            KosmoError: it does not work, or that could not be found out.
        """
        return str(self._call(target, {}))

    def plan(self, name: str, arguments: JsonObject) -> PlannedRequest | None:
        """Do all of a call but send: return the first request that it would send, None if it sends none.

        Where a request depends on the answer to the first, nobody can know it, and a warning says so.

        Raises:
            KosmoError: as `call`, except that a missing approval is a warning.
        """
        target = self._resolve(name)
        try:
            self._call(target, arguments, dry_run=True)
        except NotSent as end:
            if target.function.access == "write" and not end.request.writes:
                self._record(["warning", _READS_FIRST.format(target.function.full_name)])
            return end.request
        return None

    def _call(self, target: Target, arguments: JsonObject, *, dry_run: bool = False) -> Json:
        function = target.function
        number, started, api = next(self._numbers), time.perf_counter(), None
        digest = _hash(arguments) if self._audited else None
        self._record(["call", number, function.full_name, target.account, function.access, digest])
        problem: Json = None
        try:
            if (function.integration, target.account) not in self._apis:
                self._accounts.find(target.integration, target.account)
            checked = function.validate(arguments)
            self._permit(target, arguments, dry_run=dry_run)
            api = self._api(target)
            api.exchange.dry_run = dry_run
            return function.invoke(api, checked)
        except Exception as error:  # noqa: BLE001  # an adapter may be a stranger's; its call is logged all the same
            failure = self._blamed(target, _known(error))
            failure.effect = api.exchange.effect if api else "none"
            problem = [failure.code, failure.message]
            # Without the frames below, whose variables hold credentials.
            raise failure.with_traceback(None) from None
        except KeyboardInterrupt:
            problem = ["interrupted", "the call was stopped before it returned"]
            raise
        finally:
            duration = round((time.perf_counter() - started) * 1000, 1)
            self._log(number, api, duration, problem)

    def _permit(self, target: Target, arguments: JsonObject, *, dry_run: bool) -> None:
        try:
            self._policy.permit(target.function, target.account, arguments)
        except ApprovalRequired as error:
            if not dry_run:
                raise
            sentence = f"{target.function.full_name}: {error.message}. {error.hint}"
            self._record(["warning", sentence])

    def _api(self, target: Target) -> "Api[Any]":
        """Return the client of the target's account, ready for a new call."""
        key = (target.integration.name, target.account)
        if key not in self._apis:
            credentials = self._accounts.load(target.integration, target.account, self._tell)
            self._apis[key] = target.integration.api(credentials)
        api = self._apis[key]
        self._accounts.require(target, api.credentials)
        api.begin(writes=target.function.access == "write")
        return api

    def _tell(self, group: int, running: bool) -> None:  # noqa: FBT001  # as accounts tells it
        self._record(["process", group, running])

    def _blamed(self, target: Target, error: KosmoError) -> KosmoError:
        """Say in an error which function failed, what to check, and never a secret."""
        api = self._apis.get((target.integration.name, target.account))
        if api:
            error.message = api.conceal(error.message)
            error.hint = api.conceal(error.hint) if error.hint else None
        error.function = target.function.full_name
        error.message = f"{error.function}: {error.message}"
        if error.status in (401, 403) and target.function.credential:
            setting = (target.integration, target.account, target.function.credential)
            source = self._accounts.source(*setting)
            name = source.name if source else self._accounts.variables(*setting)[0]
            where = f"{name} and the region of the account {target.account}"
            error.hint = f"Check {where}.{f' {error.hint}' if error.hint else ''}"
        return error

    def _log(self, number: int, api: "Api[Any] | None", duration: float, problem: Json) -> None:
        effect, status, attempts = "none", None, 0
        if api:
            effect, status, attempts = (
                api.exchange.effect,
                api.exchange.status,
                api.exchange.attempts,
            )
            for sentence in api.warnings:
                self._record(["warning", api.conceal(sentence)])
            api.warnings.clear()
        self._record(["answer", number, effect, status, attempts, duration, problem])

    def close(self) -> None:
        """Close every connection."""
        for api in self._apis.values():
            api.close()


def _hash(arguments: JsonObject) -> str:
    """Return what tells the same arguments from others, in the audit log."""
    from hashlib import sha256  # noqa: PLC0415  # only with an audit log

    text = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _known(error: Exception) -> KosmoError:
    if isinstance(error, KosmoError):
        return error
    message = f"a defect of the integration, {type(error).__name__}: {error}"
    return Defect(message, hint="Please report it to the authors of the integration.")


def _parameters(target: Target) -> list[str]:
    properties = target.function.schema().get("properties")
    return [*properties] if isinstance(properties, dict) else []


def _named(target: Target, values: list[Json]) -> JsonObject:
    """Give positional values the names of the parameters."""
    names = _parameters(target)
    if len(values) > len(names):
        takes = f"{len(names)} arguments ({', '.join(names)})" if names else "no arguments"
        message = f"it takes {takes}, got {len(values)}"
        raise InvalidArguments(message)
    return {name: value for name, value in zip(names, values, strict=False) if value is not None}


def _not_named(target: Target, arguments: Json) -> InvalidArguments:
    names = ", ".join(f"{name} = ..." for name in _parameters(target)[:2])
    kind = "a list" if isinstance(arguments, list) else "one value"
    message = f"arguments are a table with names, such as {{{names}}}, got {kind}"
    return InvalidArguments(message)
