"""The two APIs of PostHog: capture (project key, ingestion host) and private (personal key, app host).

Sources: https://posthog.com/docs/api, https://posthog.com/docs/api/capture and
https://github.com/PostHog/posthog-python/blob/master/posthog/request.py (which host serves what).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import (
    TRANSIENT,
    Api,
    BatchLimits,
    Credentials,
    Emulation,
    Event,
    Field,
    Integration,
    Json,
    JsonObject,
    Origin,
    Params,
    Rate,
    SecretStr,
    encode,
    setting,
)

APP = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}
INGESTION = {"us": "https://us.i.posthog.com", "eu": "https://eu.i.posthog.com"}
_REGIONS: dict[str, Literal["us", "eu"]] = {
    "https://us.posthog.com": "us",
    "https://us.i.posthog.com": "us",
    "https://app.posthog.com": "us",
    "https://eu.posthog.com": "eu",
    "https://eu.i.posthog.com": "eu",
}
"""Every host of PostHog Cloud; either of a region's two means both. Any other serves both APIs."""

BATCHES = BatchLimits(size=5 * 1024 * 1024, events=2_500, event_size=900 * 1024)
"""What PostHog's own library sends at most: `/batch/` takes 20 MB, and an event of a megabyte is dropped.

Source: https://github.com/PostHog/posthog-python/blob/master/posthog/consumer.py
"""

PASSING = TRANSIENT | {*range(500, 600)}
"""After these statuses PostHog's own libraries send an event again."""

_CAPTURE = Rate("capture")
_ANALYTICS = Rate("analytics", ((240, 60), (1200, 3600)))
_OTHERS = Rate("crud", ((480, 60), (4800, 3600)))
"""The limits of PostHog Cloud. Source: https://posthog.com/docs/api#rate-limiting"""


class PostHogCredentials(Credentials):
    """The two keys of PostHog, the project, and where its hosts are."""

    project_api_key: SecretStr | None = setting(
        "Project API key, phc_... (Settings > Project > General). Captures events.",
        env=("POSTHOG_API_KEY",),
        issued=True,
        unchecked="PostHog takes events with any well-formed key: send one, and look for it in the app.",
    )
    api_token: SecretStr | None = setting(
        "Personal API key, phx_... (Settings > Account > Personal API keys). Everything else.",
        env=("POSTHOG_PERSONAL_API_KEY",),
        issued=True,
        aliases=("personal_api_key",),
    )
    project_id: str | None = setting(
        "Number of the project (Settings > Project > General). Default: the only one of the key.",
        env=("POSTHOG_PROJECT_ID",),
    )
    region: Literal["us", "eu"] = setting("Where the project lives: us or eu.", default="us")
    url: Origin | None = setting(
        "Address of the app, instead of the region's; for a self-hosted PostHog.",
        env=("POSTHOG_HOST",),
    )
    ingestion_url: Origin | None = setting(
        "Address that takes events, where it is not that of the app.",
        env=("POSTHOG_HOST",),
    )

    @field_validator("project_api_key")
    @classmethod
    def _captures(cls, key: SecretStr | None) -> SecretStr | None:
        if key and key.get_secret_value().startswith("phx_"):
            message = "is a personal API key (phx_...), but events need the project key (phc_...)"
            raise ValueError(message)
        return key

    @field_validator("api_token")
    @classmethod
    def _reads(cls, key: SecretStr | None) -> SecretStr | None:
        if key and key.get_secret_value().startswith("phc_"):
            message = "is a project key (phc_...), but the API needs a personal API key (phx_...)"
            raise ValueError(message)
        return key

    @field_validator("project_id")
    @classmethod
    def _is_number(cls, project: str | None) -> str | None:
        if project not in (None, "@current") and not (project.isascii() and project.isdigit()):
            message = "must be the number of the project, such as 12345"
            raise ValueError(message)
        return project

    @property
    def app(self) -> str:
        """The host of the private API. An ingestion host of PostHog Cloud, given as `url`, means its app."""
        if self.url:
            return APP.get(_REGIONS.get(self.url, ""), self.url)
        return APP[_REGIONS.get(self.ingestion_url or "", self.region)]

    @property
    def ingestion(self) -> str:
        """The host that takes events. An app host of PostHog Cloud means the ingestion host beside it."""
        url = self.ingestion_url or self.url
        return INGESTION.get(_REGIONS.get(url, ""), url) if url else INGESTION[self.region]


class PostHog(Api[PostHogCredentials]):
    """Both APIs of PostHog with the keys of one account."""

    title = "PostHog"
    read_seconds = 60.0  # a list of events is a query over all that the project ever sent
    batches = BATCHES

    def __init__(self, credentials: PostHogCredentials) -> None:
        super().__init__(credentials)
        self._found: str | None = None

    def deliver(self, event: Event) -> None:
        """Send one event alone."""
        content = encode(self._key)[:-1] + b"," + event.content[1:]
        BATCHES.check(content, self.title)
        self._capture("/i/v0/e/", content)

    def deliver_batch(self, events: Sequence[bytes]) -> None:
        """Send events in one request."""
        content = encode(self._key)[:-1] + b',"batch":[' + b",".join(events) + b"]}"
        self._capture("/batch/", content)

    def _capture(self, path: str, content: bytes) -> None:
        answer = self.request(
            "POST",
            self.credentials.ingestion + path,
            headers={"Content-Type": "application/json"},
            content=content,
            repeat_on=PASSING,
            rate=_CAPTURE,
        )
        if limited := as_object(answer or {}).get("quota_limited"):
            self.warnings.append(f"PostHog dropped the event: over the quota of {limited}.")

    @property
    def _key(self) -> JsonObject:
        """The project key: it belongs into the body, and into nothing else."""
        key = self.credentials.project_api_key
        return {"api_key": key.get_secret_value() if key else ""}

    def get(self, path: str, query: JsonObject | None = None) -> JsonObject:
        """Return what a path below the project answers."""
        return self._private("GET", self._path(path), query=query)

    def key(self) -> JsonObject:
        """Return what PostHog knows of the personal API key; any valid one may ask."""
        return self._private("GET", "/api/personal_api_keys/@current/")

    def send(self, method: str, path: str, body: JsonObject) -> JsonObject:
        """Write to a path below the project and return the object as it is now."""
        return self._private(method, self._path(path), body=body)

    def explain(self, body: JsonObject) -> str | None:
        """Read `{"type", "code", "detail", "attr"}`: the words, and the field that they are about."""
        detail, field = body.get("detail"), body.get("attr")
        return f"{field}: {detail}" if detail and field else str(detail or "") or None

    def advise(self, status: int) -> str | None:
        """Say what PostHog means by statuses that have more than one cause."""
        if status == 401:  # noqa: PLR2004  # HTTP
            return (
                "The API takes a personal key (phx_...), events a project key (phc_...);"
                " a key of the other region is refused the same way."
            )
        if status == 403:  # noqa: PLR2004  # HTTP
            return "Give the key the scope or the project that PostHog names."
        if status == 404 and self._found == "@current":  # noqa: PLR2004  # HTTP
            return "The project is the one that the key's owner opened last; set project_id for another."
        if status == 409:  # noqa: PLR2004  # HTTP
            return "Nothing was changed. Read it again, then decide anew."
        return None

    def _path(self, path: str) -> str:
        return f"/api/projects/{self._project}/{path}"

    @property
    def _project(self) -> str:
        if self.credentials.project_id:
            return self.credentials.project_id
        if self._found is None:
            # Not one thread for all: the others would wait for its retries, and then for each other's.
            self._found = self._find_project()
        return self._found

    def _find_project(self) -> str:
        try:
            key = self.key()
        except ServiceError as error:
            if error.status not in (403, 404):  # an older server, or a key that may not ask
                raise
            key = {}
        teams = key.get("scoped_teams")
        if isinstance(teams, list) and len(teams) == 1:
            return str(teams[0])
        self.warnings.append(
            "PostHog: project_id is not set and the key is not limited to one project; used the project"
            " that the key's owner opened last. Set project_id (KOSMO_POSTHOG_PROJECT_ID) to be sure."
        )
        return "@current"

    def _private(
        self,
        method: str,
        path: str,
        *,
        query: JsonObject | None = None,
        body: JsonObject | None = None,
    ) -> JsonObject:
        token = self.credentials.api_token
        headers = {"Authorization": f"Bearer {token.get_secret_value() if token else ''}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self.request(
            method,
            self.credentials.app + path,
            headers=headers,
            query={name: _text(value) for name, value in (query or {}).items()} or None,
            content=None if body is None else encode(body),
            # A flag that is changed twice in the same way is changed once; a new one would be there twice.
            repeat_on=TRANSIENT if method == "PATCH" else None,
            rate=self._rate(path),
        )
        return as_object(answer)

    def _rate(self, path: str) -> Rate:
        """Return the limits that a path shares; whoever hosts PostHog alone has set none, or others."""
        kind = path.split("/")[4] if path.startswith("/api/projects/") else ""
        rate = _ANALYTICS if kind in ("events", "persons", "insights") else _OTHERS
        return rate if self.credentials.app in APP.values() else Rate(rate.name)


def as_object(value: Json) -> JsonObject:
    """Return an answer as the JSON object that it must be."""
    if isinstance(value, dict):
        return value
    message = "PostHog answered with JSON that is not what it documents"
    raise ServiceError(message)


def results(page: JsonObject) -> list[JsonObject]:
    """Return the rows of a list."""
    rows = page.get("results")
    return [as_object(row) for row in rows] if isinstance(rows, list) else []


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Page(Params):
    """What every list takes."""

    limit: int = Field(100, description="Maximum number of rows to return.", ge=1, examples=[10])
    offset: int | None = Field(
        None, description="Number of rows to skip for pagination (default: 0).", ge=0
    )


posthog = Integration(
    "posthog",
    title="PostHog",
    summary="Capture events; read events, persons, insights and dashboards; manage feature flags.",
    credentials=PostHogCredentials,
    api=PostHog,
    lua_prefix="posthog_",
    guide=Path(__file__).with_name("guide.md").read_text(encoding="utf-8"),
    emulation=Emulation(
        service="kosmo_posthog.emulator:PostHogEmulator",
        settings={"project_api_key": "phc_emulator", "api_token": "phx_emulator"},
        urls=("url", "ingestion_url"),
    ),
)
