"""Feature flags: list, get, create, update, delete.

PostHog keeps the percentage of a rollout in the condition sets (`filters.groups`); at the top of a flag it is
ignored. A flag cannot be deleted but marked as deleted. Source: https://posthog.com/docs/api/feature-flags
"""

import re
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator

from kosmo_lua.errors import InvalidArguments, KosmoError, ServiceError
from kosmo_lua.integration import Each, Field, Json, JsonObject, Object, Params
from kosmo_posthog.client import Page, PostHog, as_object, posthog, results
from kosmo_posthog.paging import by_address


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,400}", text):
        message = "must be 1 to 400 letters, digits, hyphens and underscores"
        raise ValueError(message)
    return text


CONFLICT, GONE = 409, 404

SENT = ("key", "name", "active", "filters")
"""What a flag has of what is sent."""

ACTIVE = "Whether the flag is on (true) or off (false)"
FILTERS = Field(
    None,
    description="Conditions for targeting: `{groups = {{properties = {...}, rollout_percentage = 50}}}`.",
    examples=[{"groups": [{"properties": [], "rollout_percentage": 50}]}],
)


class Flags(Page):
    """What list_feature_flags takes."""


@posthog.read(credential="api_token", each=Each("each_feature_flag", by_address))
def list_feature_flags(api: PostHog, flags: Flags) -> JsonObject:
    """List all feature flags in the project.

    Returns: `{results = {{id, key, name, active, filters, rollout_percentage, version, ...}, ...}, count,
    next, previous}`. `rollout_percentage` is that of the only condition set, nil where there are several.

    ```lua
    local result = app.integrations.posthog.posthog_list_feature_flags({limit = 10})
    for _, flag in ipairs(result.results) do
      print(flag.key, flag.active)
    end
    ```

    Source: https://posthog.com/docs/api/feature-flags
    """
    page = api.get("feature_flags/", flags.wire())
    shown: list[Json] = [_with_rollout(flag) for flag in results(page)]
    return page | {"results": shown}


class Flag(Params):
    """One feature flag."""

    flag_id: int = Field(
        description="The number of the feature flag; its key is found in the list.",
        ge=1,
        examples=[2],
    )


@posthog.read(credential="api_token")
def get_feature_flag(api: PostHog, flag: Flag) -> JsonObject:
    """Get details of a specific feature flag.

    Returns: `{id, key, name, active, filters, rollout_percentage, version, ...}`. `rollout_percentage` is
    that of the only condition set, nil where there are several.

    ```lua
    local flag = app.integrations.posthog.posthog_get_feature_flag({flag_id = 2})
    print(flag.key, flag.rollout_percentage)
    ```

    Source: https://posthog.com/docs/api/feature-flags
    """
    return _with_rollout(api.get(f"feature_flags/{flag.flag_id}/"))


class NewFlag(Params):
    """What create_feature_flag takes."""

    name: str = Field(
        description='Human-readable name for the feature flag (e.g., `"New checkout flow"`).',
        examples=["New checkout flow"],
    )
    key: Annotated[str, AfterValidator(_key)] = Field(
        description='Unique key that code refers to (e.g., `"new-checkout"`): letters, digits, `-` and `_`.',
        examples=["new-checkout"],
    )
    active: bool = Field(True, description=f"{ACTIVE}.")
    filters: Object | None = FILTERS
    rollout_percentage: int | None = Field(
        None,
        description="Percentage of users to roll out to (0 to 100). Omit for 100%.",
        ge=0,
        le=100,
        examples=[50],
    )


@posthog.write(credential="api_token")
def create_feature_flag(api: PostHog, flag: NewFlag) -> JsonObject:
    """Create a new feature flag.

    Without `filters` the flag is for all users, or for `rollout_percentage` of them. With both, the
    percentage goes into the condition set of `filters`; several condition sets need one each, in `filters`.
    No usage dashboard is created with it.

    Returns: the flag, `{id, key, name, active, filters, rollout_percentage, version, ...}`.

    ```lua
    local flag = app.integrations.posthog.posthog_create_feature_flag({
      name = "New Dashboard",
      key = "new-dashboard",
      active = true,
      rollout_percentage = 50
    })
    print(flag.id, flag.key)
    ```

    Source: https://posthog.com/docs/api/feature-flags
    """
    filters = _checked(flag.filters or {})
    if not filters.get("groups"):
        filters["groups"] = [{"properties": [], "rollout_percentage": 100}]
    if flag.rollout_percentage is not None:
        filters = _rolled_out(filters, flag.rollout_percentage)
    body: JsonObject = {
        "key": flag.key,
        "name": flag.name,
        "active": flag.active,
        "filters": filters,
        "_should_create_usage_dashboard": False,
    }
    try:
        return _with_rollout(api.send("POST", "feature_flags/", body))
    except KosmoError as error:
        if not _is_lost(error):
            raise
        return _with_rollout(_created_after_all(api, flag.key, body, error))


def _created_after_all(api: PostHog, key: str, body: JsonObject, lost: KosmoError) -> JsonObject:
    """Return the flag that a request without an answer has created; raise `lost` when it has not."""
    status = api.exchange.status
    found = _read(api, "feature_flags/", {"search": key, "limit": 100})
    there = [each for each in results(found) if each.get("key") == key]
    if not _has([*there], [{name: body[name] for name in SENT}]):
        api.exchange.status = status
        lost.hint = _not_ours(key, there)
        raise lost
    api.exchange.settle()
    return there[0]


def _is_lost(error: KosmoError) -> bool:
    """Whether a request may have done its work all the same: no answer, or one of something in between."""
    status = error.status or 0
    return error.effect == "unknown" or status >= 500 or 200 <= status < 300  # noqa: PLR2004  # HTTP


def _not_ours(key: str, there: list[JsonObject]) -> str:
    """Say what to do about a flag whose answer was lost, and that is not there: a key is there only once."""
    if there:
        return f"The key {key} has another flag, number {there[0].get('id')}: use another key."
    return f"Create it again: if it is there after all, PostHog refuses a second one of the key {key}."


def _read(api: PostHog, path: str, query: JsonObject | None = None) -> JsonObject:
    """Return what a read answers that is to settle a write; nothing where it fails: the write says more."""
    with suppress(KosmoError):
        return api.get(path, query)
    return {}


def _has(there: Json, sent: Json) -> bool:
    """Whether an object is as it was sent; PostHog adds fields of its own to it, and to what is in it."""
    if isinstance(sent, dict) and isinstance(there, dict):
        return all(_has(there.get(name), sent[name]) for name in sent)
    if isinstance(sent, list) and isinstance(there, list):
        return len(sent) == len(there) and all(map(_has, there, sent))
    return there == sent


class FlagChange(Flag):
    """What update_feature_flag takes."""

    active: bool | None = Field(None, description=f"{ACTIVE}.", examples=[True])
    filters: Object | None = FILTERS
    rollout_percentage: int | None = Field(
        None, description="New rollout percentage (0 to 100).", ge=0, le=100
    )


@posthog.write(credential="api_token")
def update_feature_flag(api: PostHog, change: FlagChange) -> JsonObject:
    """Update an existing feature flag: whether it is active, its filters, its rollout.

    `rollout_percentage` changes the percentage and keeps conditions, variants and payloads: the flag is read
    first, and if somebody changes it meanwhile, PostHog answers 409. A flag of several condition
    sets has a percentage in each: pass `filters`. `filters` replace the old ones as a whole.

    Returns: the flag, `{id, key, name, active, filters, rollout_percentage, version, ...}`.

    ```lua
    local flag = app.integrations.posthog.posthog_update_feature_flag({flag_id = 2, rollout_percentage = 75})
    print(flag.rollout_percentage)
    ```

    Source: https://posthog.com/docs/api/feature-flags
    """
    path = f"feature_flags/{change.flag_id}/"
    body = _changes(api, path, change)
    try:
        return _with_rollout(api.send("PATCH", path, body))
    except ServiceError as error:
        if error.status != CONFLICT or api.exchange.tries == 1:
            raise
        wanted: JsonObject = {name: body[name] for name in SENT if name in body}
        there = _read(api, path)
        if not _has(there, wanted):
            api.exchange.status = CONFLICT
            raise
        api.exchange.settle()  # an answer was lost, and the conflict was with itself
        return _with_rollout(as_object(there))


def _changes(api: PostHog, path: str, change: FlagChange) -> JsonObject:
    """Return the body of an update.

    Raises:
        InvalidArguments: it would change nothing, or not what was meant.
    """
    body: JsonObject = {} if change.active is None else {"active": change.active}
    if change.filters is not None:
        filters = _checked(change.filters)
        if not filters.get("groups"):
            message = "filters must have groups, for PostHog ignores them without"
            hint = "Write filters = {groups = {{properties = {...}}}}."
            raise InvalidArguments(message, hint=hint)
        body["filters"] = filters
    if change.rollout_percentage is not None:
        flag = {} if change.filters is not None else api.get(path)
        old = body.get("filters") or flag.get("filters") or {}
        body["filters"] = _rolled_out(as_object(old), change.rollout_percentage)
        if flag.get("version") is not None:
            # With both PostHog refuses a change of what somebody else has changed since.
            body |= {"version": flag["version"], "original_flag": flag}
    if not body:
        message = "there is nothing to change: pass active, filters or rollout_percentage"
        raise InvalidArguments(message)
    return body


@posthog.write(credential="api_token")
def delete_feature_flag(api: PostHog, flag: Flag) -> JsonObject:
    """Delete a feature flag.

    PostHog marks it as deleted: it is gone from lists, and code that asks for it gets nothing.

    Returns: `{success = true, deleted = true, id}`.

    ```lua
    local result = app.integrations.posthog.posthog_delete_feature_flag({flag_id = 2})
    print(result.deleted)
    ```

    Source: https://posthog.com/docs/api/feature-flags
    """
    try:
        # PostHog answers DELETE with 405 and no words; its own clients PATCH `deleted`.
        api.send("PATCH", f"feature_flags/{flag.flag_id}/", {"deleted": True})
    except ServiceError as error:
        if error.status != GONE or api.exchange.tries == 1:
            raise
        api.exchange.settle()  # an answer was lost: it was there, and is not any more
    return {"success": True, "deleted": True, "id": flag.flag_id}


def _checked(filters: JsonObject) -> JsonObject:
    """Return a copy of filters that can be sent, made of what Lua cannot tell apart.

    Raises:
        InvalidArguments: the groups are no list of tables.
    """
    if "properties" in filters and "groups" not in filters:  # the form of old PostHog
        return {"groups": [{"properties": filters["properties"]}]}
    groups = filters.get("groups") or []
    if not isinstance(groups, list) or not all(isinstance(group or {}, dict) for group in groups):
        message = "filters.groups must be a list of tables"
        hint = "Write groups = {{properties = {...}, rollout_percentage = 50}}."
        raise InvalidArguments(message, hint=hint)
    complete: list[Json] = [{"properties": [], **as_object(group or {})} for group in groups]
    payloads: JsonObject = {"payloads": {}} if filters.get("payloads") == [] else {}
    return filters | {"groups": complete} | payloads


def _rolled_out(filters: JsonObject, percentage: int) -> JsonObject:
    """Return filters whose only condition set has this percentage.

    Raises:
        InvalidArguments: there are several, each with its own.
    """
    groups = filters.get("groups") or [{"properties": []}]
    if not isinstance(groups, list) or len(groups) != 1:
        count = len(groups) if isinstance(groups, list) else 0
        message = f"rollout_percentage is not clear: the flag has {count} condition sets"
        hint = "Pass filters with a rollout_percentage in each of filters.groups."
        raise InvalidArguments(message, hint=hint)
    return filters | {"groups": [as_object(groups[0]) | {"rollout_percentage": percentage}]}


def _with_rollout(flag: JsonObject) -> JsonObject:
    """Offer the percentage of the only condition set, in which none means all users."""
    filters = flag.get("filters")
    groups = filters.get("groups") if isinstance(filters, dict) else None
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(groups[0], dict):
        return flag
    percentage = groups[0].get("rollout_percentage")
    return flag | {"rollout_percentage": 100 if percentage is None else percentage}
