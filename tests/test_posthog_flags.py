"""PostHog's feature flags: rollouts, conflicts, deletion."""

import pytest
from posthog_service import Call, RecordingPostHog, Sent, failure, get, group

from kosmo_lua.values import JsonObject
from kosmo_posthog.emulator.seed import flag

NEW_FLAG: JsonObject = {
    "key": "new-checkout",
    "name": "New checkout",
    "active": True,
    "filters": {"groups": [{"properties": [], "rollout_percentage": 100}]},
    "_should_create_usage_dashboard": False,
}

STAFF: JsonObject = {"key": "email", "type": "person", "value": "@us", "operator": "icontains"}


@pytest.mark.parametrize(
    ("arguments", "filters"),
    [
        ({"rollout_percentage": 50}, {"groups": [group(50)]}),
        ({"rollout_percentage": 0}, {"groups": [group(0)]}),
        ({"filters": {}}, {"groups": [group(100)]}),
        ({"filters": {"groups": []}, "rollout_percentage": 5}, {"groups": [group(5)]}),
        ({"filters": {"groups": [{"rollout_percentage": 7}]}}, {"groups": [group(7)]}),
        (
            {"filters": {"groups": [{"properties": [STAFF]}]}, "rollout_percentage": 20},
            {"groups": [group(20, STAFF)]},
        ),
        (
            {"filters": {"properties": [STAFF]}, "rollout_percentage": 20},
            {"groups": [group(20, STAFF)]},
        ),
        (
            {"filters": {"groups": [group(1), group(2, STAFF)], "payloads": []}},
            {"groups": [group(1), group(2, STAFF)], "payloads": {}},
        ),
    ],
)
def test_the_rollout_of_a_new_flag_is_in_its_condition_set(
    arguments: JsonObject, filters: JsonObject, call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: at the top of a flag it is ignored; a new flag needs a condition set."""
    made = call("create_feature_flag", name="New checkout", key="new-checkout", **arguments)
    assert recorder.requests[0].body == NEW_FLAG | {"filters": filters}
    groups = filters["groups"]
    assert isinstance(groups, list)
    rollout = groups[0]["rollout_percentage"] if len(groups) == 1 else None  # type: ignore[index,call-overload]  # a group
    assert made.get("rollout_percentage") == rollout


def test_a_new_rollout_keeps_all_else(call: Call, recorder: RecordingPostHog) -> None:
    """PostHog: `filters` replace the old ones, so they are read first; version and original guard them."""
    before = call("get_feature_flag", flag_id=2)
    recorder.requests.clear()
    after = call("update_feature_flag", flag_id=2, rollout_percentage=75, active=False)
    original = {name: value for name, value in before.items() if name != "rollout_percentage"}
    filters = original["filters"] | {
        "groups": [original["filters"]["groups"][0] | {"rollout_percentage": 75}]
    }
    body = {"active": False, "filters": filters, "version": 1, "original_flag": original}
    assert recorder.requests == [
        get("feature_flags/2/"),
        Sent("PATCH", "/api/projects/1/feature_flags/2/", body=body),
    ]
    assert after["filters"] == filters
    assert filters["payloads"] == {"true": '{"size": 10}'}
    assert (after["rollout_percentage"], after["active"], after["version"]) == (75, False, 2)


def test_a_flag_without_condition_set_or_version_gets_a_rollout(
    call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: old flags have neither."""
    recorder.state.projects[1].flags.append(flag(9, "bare") | {"version": None})
    assert call("update_feature_flag", flag_id=9, rollout_percentage=5)["rollout_percentage"] == 5
    body = recorder.requests[1].body
    assert isinstance(body, dict)
    assert [*body] == ["filters"]


def test_new_filters_replace_the_old_ones_and_take_the_rollout(
    call: Call, recorder: RecordingPostHog
) -> None:
    """Seed: both parameters at once; nothing has to be read for it."""
    call(
        "update_feature_flag",
        flag_id=3,
        filters={"groups": [group(1, STAFF)]},
        rollout_percentage=9,
    )
    body: JsonObject = {"filters": {"groups": [group(9, STAFF)]}}
    assert recorder.requests == [Sent("PATCH", "/api/projects/1/feature_flags/3/", body=body)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("update_feature_flag", {"flag_id": 3}),
        ("update_feature_flag", {"flag_id": 1, "filters": {"groups": [group(1), group(2)]}}),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "filters": {"groups": [group(1), group(2)]}},
        ),
    ],
)
def test_a_rollout_of_several_condition_sets_asks_for_filters(
    name: str, arguments: JsonObject, call: Call, recorder: RecordingPostHog
) -> None:
    """Ours: which of them is meant cannot be known, and nothing is changed."""
    error = failure(call, name, **arguments, rollout_percentage=5)
    assert (error.code, error.effect) == ("invalid_arguments", "none")
    assert error.hint == "Pass filters with a rollout_percentage in each of filters.groups."
    assert {request.method for request in recorder.requests} <= {"GET"}


def test_a_flag_that_was_changed_meanwhile_is_not_overwritten(
    call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: 409 and its words."""
    flags = recorder.state.projects[1].flags

    def change() -> None:
        flags[1] |= {"version": 2, "filters": {"groups": [group(1)]}}

    recorder.meanwhile = change
    error = failure(call, "update_feature_flag", flag_id=2, rollout_percentage=75)
    assert (error.code, error.status, error.effect) == ("service_error", 409, "sent")
    assert error.message.endswith(
        "The feature flag was updated by jo@example.com since you started editing it. Please refresh and"
        " try again."
    )
    assert error.hint == "Nothing was changed. Read it again, then decide anew."
    assert flags[1]["filters"] == {"groups": [group(1)]}


def test_a_deleted_flag_is_gone(call: Call) -> None:
    """PostHog: it is marked, and no longer listed or found."""
    assert call("delete_feature_flag", flag_id=2) == {"success": True, "deleted": True, "id": 2}
    keys = [each["key"] for each in call("list_feature_flags")["results"]]
    assert keys == ["retired-banner", "button-color", "old-navigation"]
    for name in ("get_feature_flag", "delete_feature_flag"):
        assert failure(call, name, flag_id=2).status == 404


def test_the_rollout_is_told_where_it_is_clear(call: Call) -> None:
    """PostHog: none means all; ours: nil for several condition sets."""
    rollouts = {
        each["key"]: each.get("rollout_percentage")
        for each in call("list_feature_flags")["results"]
    }
    assert rollouts == {
        "old-navigation": 100,
        "new-search": 25,
        "button-color": None,
        "retired-banner": 100,
    }
