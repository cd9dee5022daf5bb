"""Integration: declares functions. Their names, docstrings and models say everything about them."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

from kosmo_lua.arguments import check, parser
from kosmo_lua.http import Api, Event
from kosmo_lua.integration.documentation import documentation
from kosmo_lua.integration.function import Each, Emulation, Function, Rows, lua_path
from kosmo_lua.integration.models import Credentials, Params
from kosmo_lua.integration.schema import schema_of
from kosmo_lua.results import Access
from kosmo_lua.values import Json

A = TypeVar("A", bound=Api[Any])
P = TypeVar("P", bound=Params)
F = TypeVar("F", bound="Callable[..., Json | Event]")
C = TypeVar("C", bound=Callable[[Any], str])


@dataclass(frozen=True, eq=False)
class Integration(Generic[A]):
    """A service and its functions. Offer it by an entry point of the group `kosmo.integrations`."""

    name: str
    title: str
    summary: str
    credentials: type[Credentials]
    api: Callable[[Any], A] = field(repr=False)
    guide: str = field(default="", repr=False)
    """Markdown for the integration's page in the docs, below the list of functions."""
    emulation: Emulation | None = field(default=None, repr=False)
    lua_prefix: str = ""
    """What the names of its functions begin with in Lua and in the docs; without it each is an alias."""
    functions: dict[str, Function] = field(default_factory=dict, repr=False)
    checks: dict[str, Function] = field(default_factory=dict, repr=False)
    """How each secret setting is checked, by its name."""

    def read(
        self, *aliases: str, credential: str | None = None, each: Each | None = None
    ) -> Callable[[F], F]:
        """Declare a function that changes nothing at the service; `each` if it lists something in pages."""
        aliases = _names(aliases)
        return partial(
            self._declare, access="read", aliases=aliases, credential=credential, each=each
        )

    def write(self, *aliases: str, credential: str | None = None) -> Callable[[F], F]:
        """Declare a function that changes something at the service, and so needs permission.

        One that returns an Event can be delivered in batches.
        """
        aliases = _names(aliases)
        return partial(self._declare, access="write", aliases=aliases, credential=credential)

    def check(self, credential: str) -> Callable[[C], C]:
        """Declare how a credential is checked: by a request that only reads.

        The function takes the Api alone and returns what the credential is good for, as a sentence without
        subject: `reads the workspace acme.`
        """
        return partial(self._declare_check, credential)

    def _declare_check(self, credential: str, call: C) -> C:
        self.checks[credential] = Function(
            integration=self.name,
            name=call.__name__,
            access="read",
            credential=credential,
            schema=partial(schema_of, _NoParams),
            validate=partial(check, _NoParams),
            invoke=_invoking(call, _NoParams),
            **documentation(call),
        )
        return call

    def _declare(
        self,
        call: F,
        *,
        access: Access,
        aliases: tuple[str, ...],
        credential: str | None,
        each: Each | None = None,
    ) -> F:
        signature = inspect.signature(call, eval_str=True)
        model = _model(call.__name__, signature)
        invoke = _invoking(call, model)
        makes_event = signature.return_annotation is Event
        declared = self.functions[call.__name__] = Function(
            integration=self.name,
            name=self.lua_prefix + call.__name__,
            aliases=(*self._short(call.__name__), *aliases),
            access=access,
            credential=credential,
            schema=partial(schema_of, model),
            validate=partial(check, model),
            invoke=partial(_deliver, invoke) if makes_event else invoke,
            event=invoke if makes_event else None,
            parser=partial(parser, model) if makes_event else None,
            **documentation(call),
        )
        if each:
            size = " `limit` is the size of a page." if "limit" in model.model_fields else ""
            iterator = self._iterator(each, declared, partial(each.pages, call), size=size)
            self.functions[each.name] = iterator
        return call

    def _short(self, name: str) -> tuple[str, ...]:
        return (name,) if self.lua_prefix else ()

    def _iterator(
        self, each: Each, lists: Function, pages: Callable[..., Any], *, size: str
    ) -> Function:
        """Derive the iterator from the function that lists one page."""
        prefixed = self.lua_prefix + each.name
        item = each.name.removeprefix("each_")
        path = f"{lua_path(self.name)}.{prefixed}"
        return replace(
            lists,
            name=prefixed,
            aliases=self._short(each.name),
            summary=f"Iterate over everything that {lists.name} lists, page by page.",
            description=_EACH.format(lists=lists.full_name, size=size),
            returns=f"an iterator for `for`, which gives one {item.replace('_', ' ')} after the other.",
            examples=(f"for {item} in {path}({each.example}) do\n  print({item}.id)\nend",),
            invoke=partial(_read_all, pages),
            pages=pages,
            lists=lists,
        )


_EACH = """It takes what `{lists}` takes.{size} The next page is on its way while the script works on \
this one; `break` ends it. A page that fails raises its error at the line of the loop. What comes twice \
because the list has changed meanwhile is left out.

Each page is a call of `{lists}`: for the policy, in the call log and for `--call-limit`. Without a script \
all rows are returned as one list."""


class _NoParams(Params):
    """The model of a function without parameters."""


def _names(aliases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the aliases; a decorator without its parentheses would take the function for one."""
    if all(isinstance(alias, str) for alias in aliases):
        return aliases
    message = "write the decorator with its parentheses: @service.read() or @service.write()"
    raise TypeError(message)


def _model(name: str, signature: inspect.Signature) -> type[Params]:
    """Return the type of the second parameter, which is all that an operation of this name takes."""
    kinds = [parameter.annotation for parameter in signature.parameters.values()]
    if len(kinds) == 1:
        return _NoParams
    if len(kinds) == 2 and isinstance(kinds[1], type) and issubclass(kinds[1], Params):  # noqa: PLR2004  # as said
        return kinds[1]
    takes = "must take the Api and one model derived from Params, or the Api alone"
    message = f"{name} {takes}"
    raise TypeError(message)


def _invoking(call: Callable[..., Any], model: type[Params]) -> Callable[[Api[Any], object], Any]:
    """Return what calls a function with the Api and the checked arguments, of which it may take none."""
    return (lambda api, _: call(api)) if model is _NoParams else call


def _deliver(make: Callable[..., Event], api: Api[Any], arguments: object) -> Json:
    event = make(api, arguments)
    api.deliver(event)
    return event.answer


def _read_all(pages: Callable[..., Iterator[Rows]], api: Api[Any], arguments: object) -> Json:
    return [row for page in pages(api, arguments) for row in page.rows]
