"""What the events of an integration keep, alone and in a batch. Nothing is sent."""

import json
from collections.abc import Iterator
from typing import Any

from kosmo_lua.errors import KosmoError
from kosmo_lua.integration import Api, Event, Function
from kosmo_lua.pages import sample
from kosmo_lua.testing.invocation import make_event
from kosmo_lua.testing.subject import Subject


def _check_events(subject: Subject) -> Iterator[str]:
    functions = [function for function in subject.functions if function.event]
    if not functions:
        return
    try:
        api = subject.integration.api(subject.integration.credentials(**subject.values))
    except Exception:  # noqa: BLE001  # a validator may raise anything; another check tells
        return
    yield from _check_delivery(api)
    for function in functions:
        try:
            event = make_event(function, api, sample(function))
        except KosmoError as error:
            yield f"{function.name} cannot make its event: {error.message}"
        except Exception as error:  # noqa: BLE001  # a defect
            yield f"{function.name} cannot make its event: {type(error).__name__}"
        else:
            yield from _check_event(subject, function, event)


def _check_delivery(api: Api[Any]) -> Iterator[str]:
    kind = type(api)
    if kind.deliver is Api.deliver or kind.deliver_batch is Api.deliver_batch:
        yield f"{kind.__name__} needs deliver and deliver_batch: its functions return an Event"
    if not all(kind.batches):
        yield f"{kind.__name__} needs batches = BatchLimits(...): its functions return an Event"


def _check_event(subject: Subject, function: Function, event: Event) -> Iterator[str]:
    shown = json.dumps([event.id, event.answer])
    if subject.is_leaked(event.content.decode("utf-8", "replace"), shown):
        yield f"{function.name} puts a secret into its event: add it in deliver and deliver_batch"
    if not (event.id and all(isinstance(value, str) and value for value in event.id.values())):
        yield f'{function.name}: the id of its Event must name it, such as {{"message_id": "..."}}'
    try:
        body = json.loads(event.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        yield f"{function.name}: the content of its Event must be a JSON object"


CHECKS = (_check_events,)
