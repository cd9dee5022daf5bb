"""For tests of workflows and of integrations, with pytest (`pip install "kosmo-lua[testing]"`).

In a `conftest.py`: `pytest_plugins = ["kosmo_lua.testing"]`. Then a test of a workflow asks for the fixture
`kosmo_emulator`, and the test of an integration is three lines:

    from kosmo_lua.testing import check_integration
    from kosmo_weather import weather

    def test_integration() -> None:
        check_integration(weather)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kosmo_lua.emulator import Emulator
from kosmo_lua.integration import Integration
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.testing import behaviour, declarations, events, sources
from kosmo_lua.testing.subject import Subject

__all__ = ["check_integration", "kosmo_emulator"]


@pytest.fixture(scope="session")
def _emulating_kosmo() -> Iterator[Kosmo]:
    """Serve the emulators of all installed integrations, once for all tests of the process."""
    with Kosmo(emulator=True) as kosmo:
        kosmo.emulator.start()
        yield kosmo


@pytest.fixture
def kosmo_emulator(_emulating_kosmo: Kosmo, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Let `Kosmo()` and the command `kosmo` talk to a fresh emulator of every installed integration.

    The environment variables of the test lead there, and allow writes. What was sent is in
    `kosmo_emulator.events()`, and `kosmo_emulator.fault(status=503)` lets the next request fail.
    """
    emulator = _emulating_kosmo.emulator
    emulator.reset()
    for name, value in _emulating_kosmo.emulator_environ.items():
        monkeypatch.setenv(name, value)
    return emulator


def check_integration(
    integration: Integration[Any], *, settings: Mapping[str, str] | None = None
) -> None:
    """Assert what every integration must keep.

    `settings` are credentials that the integration accepts, where its emulator has none and made-up ones
    will not do, because the service's keys have a form. They are never sent to the service.

    Raises:
        AssertionError: lists all that is to be mended, and how.
    """
    subject = Subject(integration, settings or {})
    checks = (*declarations.CHECKS, *behaviour.CHECKS, *events.CHECKS, *sources.CHECKS)
    problems = [f"- {problem}" for check in checks for problem in check(subject)]
    if problems:
        raise AssertionError("\n".join([f"the integration {integration.name}:", *problems]))
