"""Feature flags of the private API: what it checks, ignores, and marks as deleted.

Sources: https://posthog.com/docs/api/feature-flags
         https://github.com/PostHog/posthog/blob/master/products/feature_flags/backend/api/feature_flag.py
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kosmo_posthog.emulator.answers import not_found, page, refused
from kosmo_posthog.emulator.seed import USER_BASIC, flag

if TYPE_CHECKING:
    from starlette.requests import Request

    from kosmo_lua.integration import Json, JsonObject
    from kosmo_posthog.emulator.state import Project

KEY_LIMIT = 400
_KEY = re.compile(r"[a-zA-Z0-9_-]+")
_WRITABLE = ("key", "name", "active", "filters", "tags", "ensure_experience_continuity", "deleted")
"""What a request may change; anything else, such as a rollout_percentage at the top, is ignored."""


def list_flags(project: Project, request: Request) -> JsonObject:
    """The flags that were not deleted, the latest first."""
    query = request.query_params
    rows = [each for each in reversed(project.flags) if not each["deleted"]]
    if search := query.get("search", "").lower():
        rows = [each for each in rows if search in f"{each['key']} {each['name']}".lower()]
    if active := query.get("active"):
        rows = [each for each in rows if str(each["active"]).lower() == active]
    return page(request, rows)


def get_flag(project: Project, _: Request, identifier: str) -> JsonObject:
    """One flag by its number; a key is refused."""
    found = _find(project, identifier)
    if found["deleted"]:
        raise not_found()
    return found


def create_flag(project: Project, body: JsonObject) -> JsonObject:
    """Add a flag. It must have a key that no other has and, where it has filters, a condition set."""
    if "key" not in body:
        raise refused(400, "This field is required.", code="required", attr="key")
    fields = _checked(project, body, None)
    filters = fields.get("filters")
    if isinstance(filters, dict) and not filters.setdefault("groups", []):
        raise _filters("Feature flags must have at least one condition set (group).")
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    number = 1 + max((_number(each["id"]) for each in project.flags), default=0)
    made = flag(number, str(fields["key"]), created_at=now) | fields
    project.flags.append(made)
    return made


def update_flag(project: Project, identifier: str, body: JsonObject) -> JsonObject:
    """Change what the body names, unless somebody else changed that since `version`.

    `filters` replace the old ones as a whole, and without `groups` they are ignored.
    """
    found = _find(project, identifier)
    if found["deleted"] and body.get("deleted") is not False:
        raise not_found()
    fields = _checked(project, body, found)
    filters = fields.get("filters")
    if isinstance(filters, dict) and "groups" not in filters:
        del fields["filters"]
    if body.get("version", found["version"]) != found["version"]:
        _check_conflicts(found, fields, body.get("original_flag"))
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    fields |= {"version": _number(found["version"]) + 1, "updated_at": now}
    found |= fields | {"last_modified_by": USER_BASIC}
    return found


def _check_conflicts(found: JsonObject, fields: JsonObject, original: Json) -> None:
    """Refuse to change a field that is no longer what the client saw; without the original, never."""
    seen = original if isinstance(original, dict) else {}
    for name, value in fields.items():
        if name in seen and value != seen[name] and found[name] not in (seen[name], value):
            author = found["last_modified_by"]
            who = author["email"] if isinstance(author, dict) else "another user"
            detail = f"The feature flag was updated by {who} since you started editing it."
            raise refused(409, f"{detail} Please refresh and try again.")


def _find(project: Project, identifier: str) -> JsonObject:
    for each in project.flags:
        if str(each["id"]) == identifier:
            return each
    raise not_found()


def _checked(project: Project, body: JsonObject, found: JsonObject | None) -> JsonObject:
    """The fields of a request that a flag has, if each is valid."""
    fields = {name: body[name] for name in _WRITABLE if name in body}
    if "key" in fields:
        _check_key(project, fields["key"], found)
    if not isinstance(fields.get("name", ""), str):
        raise refused(400, "Not a valid string.", attr="name")
    for name in ("active", "deleted"):
        if not isinstance(fields.get(name, False), bool):
            raise refused(400, "Must be a valid boolean.", attr=name)
    if "filters" in fields:
        _check_filters(fields["filters"])
    return fields


def _check_key(project: Project, key: Json, found: JsonObject | None) -> None:
    if not isinstance(key, str) or not key:
        raise refused(400, "This field may not be blank.", code="blank", attr="key")
    if len(key) > KEY_LIMIT:
        detail = f"Ensure this field has no more than {KEY_LIMIT} characters."
        raise refused(400, detail, code="max_length", attr="key")
    if not _KEY.fullmatch(key):
        detail = "Only letters, numbers, hyphens (-) & underscores (_) are allowed."
        raise refused(400, detail, code="invalid_key", attr="key")
    others = [each for each in project.flags if each is not found and not each["deleted"]]
    if any(each["key"] == key for each in others):
        detail = "There is already a feature flag with this key."
        raise refused(400, detail, code="unique", attr="key")


def _filters(detail: str, code: str | None = None) -> Exception:
    return refused(400, detail, code=code, attr="filters")


def _check_filters(filters: Json) -> None:
    if not isinstance(filters, dict):
        detail = f'Expected a dictionary of items but got type "{type(filters).__name__}".'
        raise _filters(detail, "not_a_dict")
    groups = _objects(filters.get("groups", []))
    if groups is None:
        raise _filters("groups must be a list of objects")
    if not isinstance(filters.get("payloads", {}), dict):
        raise _filters("payloads must be an object")
    variants = _variants(filters)
    for index, group in enumerate(groups):
        _check_group(group, f"groups[{index}]", variants)


def _variants(filters: JsonObject) -> set[str]:
    """The keys of the variants, whose percentages must sum to 100."""
    multivariate = filters.get("multivariate") or {}
    variants = (
        _objects(multivariate.get("variants", [])) if isinstance(multivariate, dict) else None
    )
    if variants is None or not all(isinstance(each.get("key"), str) for each in variants):
        raise _filters("multivariate.variants must be a list of objects with a key")
    total = 0.0
    for index, variant in enumerate(variants):
        path = f"multivariate.variants[{index}].rollout_percentage"
        percentage = _percentage(variant.get("rollout_percentage"), path)
        if percentage is None:
            raise _filters(f"{path} must be a number, got null")
        total += percentage
    if variants and total != 100:  # noqa: PLR2004  # said below
        raise _filters("Invalid variant definitions: Variant rollout percentages must sum to 100.")
    return {str(variant["key"]) for variant in variants}


def _objects(value: Json) -> list[JsonObject] | None:
    """The objects of a list, or None where it is something else."""
    if not isinstance(value, list):
        return None
    found = [each for each in value if isinstance(each, dict)]
    return found if len(found) == len(value) else None


def _check_group(group: JsonObject, path: str, variants: set[str]) -> None:
    _percentage(group.get("rollout_percentage"), f"{path}.rollout_percentage")
    properties = _objects(group.get("properties", []))
    if properties is None:
        raise _filters(f"{path}.properties must be a list of objects")
    kinds = {str(condition.get("type")) for condition in properties}
    if group.get("aggregation_group_type_index") is None and not kinds <= _PERSON_KINDS:
        words = "person-aggregated conditions can only use person, cohort, and flag properties"
        raise _filters(f"Filters are not valid ({words})")
    if group.get("variant") and group["variant"] not in variants:
        raise _filters("Filters are not valid (variant override does not exist)")


_PERSON_KINDS = {"person", "cohort", "flag"}


def _percentage(value: Json, path: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _filters(f"{path} must be a number or null, got {type(value).__name__}")
    if not (math.isfinite(value) and 0 <= value <= 100):  # noqa: PLR2004  # a percentage
        raise _filters(f"{path} must be between 0 and 100, got {value}")
    return value


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
