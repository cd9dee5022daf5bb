"""PostHog's keys, hosts and projects, and what it answers to wrong ones."""

import pytest
from posthog_service import EVENT, Call, Lua, RecordingPostHog, Sent, failure

from kosmo_lua import Kosmo
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import JsonObject
from kosmo_posthog import PostHogCredentials, posthog
from kosmo_posthog.emulator import PostHogEmulator

# The project


def scope(recorder: PostHogEmulator, *teams: int) -> None:
    """Limit the emulator's key to these projects."""
    recorder.state.keys["phx_emulator"]["scoped_teams"] = [*teams]


WHO = Sent("GET", "/api/personal_api_keys/@current/")
WARNING = (
    "PostHog: project_id is not set and the key is not limited to one project; used the project that the"
    " key's owner opened last. Set project_id (KOSMO_POSTHOG_PROJECT_ID) to be sure."
)
TWO_READS = "posthog.list_cohorts() posthog.list_dashboards()"


def test_the_project_is_the_only_one_of_the_key(
    account: dict[str, str], lua: Lua, recorder: RecordingPostHog
) -> None:
    """PostHog: a key may be limited to projects; ours: it is asked once in a run."""
    del account["KOSMO_POSTHOG_PROJECT_ID"]
    scope(recorder, 2)
    result = lua(TWO_READS)
    assert (result.success, list(result.warnings)) == (True, [])
    assert [request.path for request in recorder.requests] == [
        WHO.path,
        "/api/projects/2/cohorts/?limit=100",
        "/api/projects/2/dashboards/?limit=100",
    ]
    assert recorder.requests[0] == WHO


@pytest.mark.parametrize("teams", [(), (1, 2)])
def test_without_a_project_the_last_one_is_used_with_a_warning(
    teams: tuple[int, ...],
    account: dict[str, str],
    lua: Lua,
    recorder: RecordingPostHog,
) -> None:
    """PostHog: `@current` is what the owner of the key opened last; ours: one warning says so."""
    del account["KOSMO_POSTHOG_PROJECT_ID"]
    scope(recorder, *teams)
    result = lua(TWO_READS)
    assert (result.success, list(result.warnings)) == (True, [WARNING])
    assert [request.path for request in recorder.requests] == [
        WHO.path,
        "/api/projects/@current/cohorts/?limit=100",
        "/api/projects/@current/dashboards/?limit=100",
    ]


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_tell_about_the_key_is_asked_for_the_last_project(
    status: int, account: dict[str, str], posthog_emulator: Emulator, lua: Lua
) -> None:
    """PostHog: an older server has no such answer."""
    del account["KOSMO_POSTHOG_PROJECT_ID"]
    posthog_emulator.fault(status=status, path=WHO.path)
    result = lua("return #posthog.list_cohorts().results")
    assert (result.result, list(result.warnings)) == (2, [WARNING])


def test_other_failures_of_that_question_are_those_of_the_call(
    account: dict[str, str], posthog_emulator: Emulator, call: Call
) -> None:
    """Ours: nothing is guessed from an outage, and nothing was written."""
    del account["KOSMO_POSTHOG_PROJECT_ID"]
    posthog_emulator.fault(status=503, path=WHO.path)
    error = failure(call, "delete_feature_flag", flag_id=2)
    assert (error.code, error.status, error.effect) == ("service_error", 503, "none")
    assert call("delete_feature_flag", flag_id=2)["deleted"] is True


def test_a_missing_last_project_says_what_to_set(
    account: dict[str, str], call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: 404 when the owner has none."""
    del account["KOSMO_POSTHOG_PROJECT_ID"]
    scope(recorder)
    recorder.state.current = None
    error = failure(call, "list_cohorts")
    assert (
        error.message == "posthog.posthog_list_cohorts: PostHog answered 404: Project not found."
    )
    expected = (
        "The project is the one that the key's owner opened last; set project_id for another."
    )
    assert error.hint == expected


# Keys, hosts and accounts


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "KOSMO_POSTHOG_PROJECT_API_KEY",
            "phx_secret",
            "is a personal API key (phx_...), but events need the project key (phc_...)",
        ),
        (
            "KOSMO_POSTHOG_API_TOKEN",
            "phc_secret",
            "is a project key (phc_...), but the API needs a personal API key (phx_...)",
        ),
        (
            "KOSMO_POSTHOG_PROJECT_ID",
            "my project",
            "must be the number of the project, such as 12345",
        ),
        ("KOSMO_POSTHOG_REGION", "asia", "should be 'us' or 'eu'"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_sent(  # noqa: PLR0917  # three are fixtures
    variable: str,
    value: str,
    words: str,
    account: dict[str, str],
    call: Call,
    recorder: RecordingPostHog,
) -> None:
    """PostHog: 401 for the one key in the place of the other; ours: said at once, without the key."""
    account[variable] = value
    error = failure(call, "capture_event", event="e", distinct_id="u")
    assert (error.code, error.effect) == ("config_error", "none")
    assert error.message == f"posthog.posthog_capture_event: {variable} {words}"
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("missing", "name", "arguments"),
    [
        ("KOSMO_POSTHOG_PROJECT_API_KEY", "capture_event", {"event": "e", "distinct_id": "u"}),
        ("KOSMO_POSTHOG_API_TOKEN", "list_cohorts", {}),
    ],
)
def test_no_key_stands_in_for_the_other(  # noqa: PLR0917  # three are fixtures
    missing: str,
    name: str,
    arguments: JsonObject,
    account: dict[str, str],
    call: Call,
    recorder: RecordingPostHog,
) -> None:
    """Upstream W18: it sent the personal key as the public one; ours: neither replaces the other."""
    del account[missing]
    error = failure(call, name, **arguments)
    assert error.code == "credentials_missing"
    store = "store it with kosmo accounts:add posthog default"
    assert error.hint == f"Set {missing}, {store}, or try it with --emulator."
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("settings", "app", "ingestion"),
    [
        ({}, "https://us.posthog.com", "https://us.i.posthog.com"),
        ({"region": "eu"}, "https://eu.posthog.com", "https://eu.i.posthog.com"),
        ({"url": "https://eu.posthog.com"}, "https://eu.posthog.com", "https://eu.i.posthog.com"),
        (
            {"url": "https://eu.i.posthog.com"},
            "https://eu.posthog.com",
            "https://eu.i.posthog.com",
        ),
        (
            {"url": "https://app.posthog.com/"},
            "https://us.posthog.com",
            "https://us.i.posthog.com",
        ),
        ({"url": "https://ph.example.com"}, "https://ph.example.com", "https://ph.example.com"),
        (
            {"ingestion_url": "https://eu.i.posthog.com"},
            "https://eu.posthog.com",
            "https://eu.i.posthog.com",
        ),
        (
            {"region": "eu", "ingestion_url": "https://e.example.com"},
            "https://eu.posthog.com",
            "https://e.example.com",
        ),
        (
            {"url": "https://ph.example.com", "ingestion_url": "https://e.example.com"},
            "https://ph.example.com",
            "https://e.example.com",
        ),
    ],
)
def test_each_host_stands_for_both(settings: dict[str, str], app: str, ingestion: str) -> None:
    """PostHog: each region has an app and an ingestion host; a self-hosted one has one for both."""
    credentials = PostHogCredentials.model_validate(settings)
    assert (credentials.app, credentials.ingestion) == (app, ingestion)


def test_the_vendors_own_variables_are_read(
    posthog_emulator: Emulator, recorder: RecordingPostHog
) -> None:
    """PostHog: POSTHOG_API_KEY is the project key, POSTHOG_HOST is either host."""
    account = {
        "POSTHOG_API_KEY": "phc_emulator",
        "POSTHOG_PERSONAL_API_KEY": "phx_emulator",
        "POSTHOG_PROJECT_ID": "1",
        "POSTHOG_HOST": posthog_emulator.url,
    }
    with Kosmo(integrations=[posthog], environ=account, force=True) as kosmo:
        kosmo.call("posthog.capture_event", {"event": "e", "distinct_id": "u"})
        kosmo.call("posthog.list_cohorts")
    paths = [request.path for request in recorder.requests]
    assert paths == ["/i/v0/e/", "/api/projects/1/cohorts/?limit=100"]


def test_a_named_account_takes_the_other_name_of_the_token(posthog_emulator: Emulator) -> None:
    """Ours: `personal_api_key`, as PostHog calls it, is the setting `api_token`."""
    account = {
        "KOSMO_POSTHOG__WORK__PERSONAL_API_KEY": "phx_emulator",
        "KOSMO_POSTHOG__WORK__PROJECT_ID": "1",
        "KOSMO_POSTHOG__WORK__URL": posthog_emulator.url,
    }
    with Kosmo(integrations=[posthog], environ=account) as kosmo:
        found = kosmo.call("posthog.list_cohorts", account="work")
        assert isinstance(found, dict)
        assert found["count"] == 2
    account["KOSMO_POSTHOG__WORK__PERSONAL_KEY"] = "phx_emulator"
    with (
        Kosmo(integrations=[posthog], environ=account) as kosmo,
        pytest.raises(KosmoError) as caught,
    ):
        kosmo.call("posthog.list_cohorts", account="work")
    assert "did you mean KOSMO_POSTHOG__WORK__PERSONAL_API_KEY?" in caught.value.message


# What PostHog refuses


def test_a_key_of_the_wrong_kind_or_region_is_hinted_at(
    account: dict[str, str], call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: 401 for both; ours: the hint names the variable, the kind and the region."""
    account["KOSMO_POSTHOG_API_TOKEN"] = "phx_of_another_region"
    error = failure(call, "list_cohorts")
    assert (error.code, error.status, error.retryable) == ("service_error", 401, False)
    assert error.message == (
        "posthog.posthog_list_cohorts: PostHog answered 401: Personal API key found in request"
        " Authorization header is invalid."
    )
    assert error.hint == (
        "Check KOSMO_POSTHOG_API_TOKEN and the region of the account default. The API takes a personal key"
        " (phx_...), events a project key (phc_...); a key of the other region is refused the same way."
    )
    assert len(recorder.requests) == 1


def test_a_missing_scope_is_named(call: Call, recorder: RecordingPostHog) -> None:
    """PostHog: 403 with the scope in `detail`."""
    recorder.state.keys["phx_emulator"]["scopes"] = ["dashboard:read"]
    assert call("list_dashboards")["count"] == 2
    error = failure(call, "list_cohorts")
    assert error.status == 403
    assert error.message.endswith("403: API key missing required scope 'cohort:read'")
    assert error.hint is not None
    assert "scope" in error.hint


def test_a_field_that_is_refused_is_named(call: Call) -> None:
    """PostHog: `attr` and `detail`."""
    error = failure(call, "create_feature_flag", name="n", key="new-search")
    assert error.message == (
        "posthog.posthog_create_feature_flag: PostHog answered 400: key: There is already a feature flag"
        " with this key."
    )


def test_capture_refuses_in_plain_text(posthog_emulator: Emulator, call: Call) -> None:
    """PostHog: no JSON there; ours: such an answer can be tried again where it says so."""
    posthog_emulator.fault(status=503)
    error = failure(call, "capture_event", event="e", distinct_id="u")
    assert error.message.endswith("PostHog answered 503: transient error, please retry")
    assert (error.code, error.retryable, error.effect) == ("service_error", True, "sent")


def test_a_rate_limit_says_how_long(posthog_emulator: Emulator, call: Call) -> None:
    """PostHog: 429 with Retry-After."""
    posthog_emulator.fault(status=429, retry_after=30)
    error = failure(call, "list_cohorts")
    assert (error.code, error.retryable, error.details) == (
        "rate_limited",
        True,
        {"retry_after": 30},
    )
    assert error.message.endswith("Request was throttled. Expected available in 30 seconds.")


@pytest.mark.parametrize("body", ["[]", '"text"', "1"])
def test_an_answer_that_is_no_object_is_an_error(
    body: str, posthog_emulator: Emulator, call: Call
) -> None:
    """Ours: what PostHog does not document is not passed on."""
    posthog_emulator.fault(body=body, times=2)
    assert failure(call, "list_cohorts").code == "service_error"
    posthog_emulator.fault(body='{"results": [1]}', times=1)
    assert failure(call, "get_event", event_id=EVENT).code == "service_error"
    assert failure(call, "list_events", after="-1d").code == "service_error"
