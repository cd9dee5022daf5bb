"""Subject: an integration under check, and where it lives."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from kosmo_lua.integration import Function, Integration, SecretStr


@dataclass(frozen=True)
class Subject:
    """An integration under check, with settings that its credentials accept."""

    integration: Integration[Any]
    settings: Mapping[str, str]

    @property
    def functions(self) -> list[Function]:
        """All that it offers."""
        return [*self.integration.functions.values()]

    @property
    def secrets(self) -> list[str]:
        """The names of its secret settings."""
        fields = self.integration.credentials.model_fields.items()
        return [name for name, field in fields if is_secret(field.annotation)]

    @property
    def values(self) -> dict[str, str]:
        """Settings with a value that can be recognised for every secret."""
        emulation = self.integration.emulation
        canaries = {name: f"canary-{name}-0123456789" for name in self.secrets}
        return {**canaries, **(emulation.settings if emulation else {}), **self.settings}

    def is_leaked(self, *texts: str) -> bool:
        """Whether a secret is in one of the texts."""
        return any(self.values[name] in text for name in self.secrets for text in texts)

    @property
    def package(self) -> ModuleType:
        """The package that offers the integration, or the one module that it is."""
        home = sys.modules[self.integration.credentials.__module__]
        root = sys.modules.get(home.__package__ or "", home)
        return root if any(v is self.integration for v in vars(root).values()) else home

    @property
    def sources(self) -> dict[str, Path]:
        """Its own source files by the names of their modules, without its tests and its emulator."""
        emulator = self.emulator_sources
        found = _sources(self.package.__name__).items()
        own = {name: file for name, file in found if name not in emulator}
        return {n: f for n, f in own.items() if not f.name.startswith(("test_", "conftest"))}

    @property
    def emulator_module(self) -> str | None:
        """Where its emulator is, if it has one."""
        emulation = self.integration.emulation
        return emulation.service.partition(":")[0] if emulation else None

    @property
    def emulator_sources(self) -> dict[str, Path]:
        """The source files of its emulator."""
        return _sources(self.emulator_module) if self.emulator_module else {}


def _sources(module: str) -> dict[str, Path]:
    """Return the source file of a module, or all those of a package."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # who starts the emulator is told
        return {}
    if spec is None or not spec.origin:
        return {}
    origin = Path(spec.origin)
    if spec.submodule_search_locations is None:
        return {module: origin}
    files = sorted(origin.parent.rglob("*.py"))
    return {_module_name(module, file.relative_to(origin.parent)): file for file in files}


def _module_name(package: str, file: Path) -> str:
    names = [package, *file.with_suffix("").parts]
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def is_secret(annotation: object) -> bool:
    """Whether a setting is kept out of sight."""
    return SecretStr in (annotation, *get_args(annotation))
