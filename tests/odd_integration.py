"""An installed integration whose parameters have every type, and the names of the command's own options."""

from pathlib import Path

SOURCE = '''
from typing import Literal

from kosmo_lua.integration import Api, Credentials, Field, Integration, JsonObject, Object, Params

odd = Integration(
    "odd", title="Odd", summary="Says what it is told.", credentials=Credentials, api=Api[Credentials]
)


class Everything(Params):
    text: str | None = Field(None, description="Any text.")
    count: int | None = Field(None, description="A whole number.")
    ratio: float | None = Field(None, description="A number.")
    on: bool | None = Field(None, description="A switch.")
    mode: Literal["fast", "slow"] | None = Field(None, description="How fast.")
    level: Literal[1, 2] | None = Field(None, description="How high.")
    tags: list[str] | None = Field(None, description="Words.")
    sizes: list[int] | None = Field(None, description="Numbers.")
    traits: Object | None = Field(None, description="Anything named.")
    either: int | str | None = Field(None, description="A number or a text.")
    mixed: int | bool | None = Field(None, description="A number or a switch.")


@odd.read()
def echo(api: Api[Credentials], everything: Everything) -> JsonObject:
    """Return the arguments.

    Returns: them.
    """
    return everything.model_dump(exclude_none=True)


class Names(Params):
    json_: str | None = Field(None, description="As --json.", alias="json")
    account: str | None = Field(None, description="As --account.")
    force: str | None = Field(None, description="As --force.")
    dry_run: str | None = Field(None, description="As --dry-run.")
    format: str | None = Field(None, description="Upstream drops it.")
    timeout: int | None = Field(None, description="Upstream drops it.")
    pretty: bool | None = Field(None, description="Upstream drops it.")


@odd.read()
def names(api: Api[Credentials], names: Names) -> JsonObject:
    """Return the arguments.

    Returns: them.
    """
    return names.wire()


@odd.write()
def number(api: Api[Credentials]) -> JsonObject:
    """Return what JSON cannot hold.

    Returns: nothing.
    """
    return {"value": float("nan")}
'''


def install(folder: Path) -> None:
    """Install it into a folder where the command finds it, as pip does."""
    (folder / "odd.py").write_text(SOURCE, encoding="utf-8")
    info = folder / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[kosmo.integrations]\nodd = odd:odd\n", "utf-8")
