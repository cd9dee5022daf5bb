"""The seed: the workspace and the sources that an emulator of Segment starts with."""

from kosmo_lua.integration import Json, JsonObject

WRITE_KEY = "emulatedWebsiteWriteKey000000001"
"""The write key of the source `abc123`; any other is taken too, as by the real Tracking API."""

WORKSPACE: JsonObject = {
    "id": "emulatedWorkspace00001",
    "slug": "my-workspace",
    "name": "My Workspace",
}


def _source(source_id: str, slug: str, catalog: str, **fields: Json) -> JsonObject:
    """A source made from the catalog entry of that name, as the Public API describes it."""
    metadata: JsonObject = {
        "id": f"emulated{catalog}",
        "slug": catalog.lower(),
        "name": catalog,
        "description": f"Collects data with {catalog}.",
        "logos": {"default": f"https://example.com/{catalog.lower()}.svg"},
        "options": [],
        "categories": ["Website" if catalog == "Javascript" else "Server"],
        "isCloudEventSource": False,
        "status": "PUBLIC",
    }
    state: JsonObject = {"enabled": True, "writeKeys": [], "settings": {}, "labels": []}
    names: JsonObject = {"id": source_id, "slug": slug, "workspaceId": WORKSPACE["id"]}
    return {**names, "metadata": metadata, **state, **fields}


_BILLING_KEYS: list[Json] = ["emulatedBillingWriteKey000000002"]
_PRODUCTION: list[Json] = [{"key": "environment", "value": "prod"}]

SOURCES = [
    _source("abc123", "website", "Javascript", name="Website", writeKeys=[WRITE_KEY]),
    _source(
        "emulatedSource00000002", "billing", "Node", writeKeys=_BILLING_KEYS, labels=_PRODUCTION
    ),
    _source("emulatedSource00000003", "warehouse", "Python", name="Warehouse", enabled=False),
]
"""An ordinary source, one without a name, and one whose write keys the token may not see."""
