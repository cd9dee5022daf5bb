"""Permission: which rule counts, and what a project's file cannot do."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import echo

from kosmo_lua import Kosmo, KosmoError
from kosmo_lua.config import Config
from kosmo_lua.emulator import Emulator

SEND = 'app.integrations.segment.{}track({{event = "E", userId = "u"}})'

Decide = Callable[..., str]


@pytest.fixture
def decide(tmp_path: Path) -> Decide:
    """Return what becomes of a call of `echo`: allow, ask or deny."""

    def decide(
        user: str = "",
        project: str = "",
        *,
        function: str = "change",
        variable: str = "",
    ) -> str:
        (tmp_path / "config.toml").write_text(user)
        (tmp_path / "kosmo.toml").write_text(project)
        environ = {
            "KOSMO_ECHO__WORK__X": "y",
            **({"KOSMO_ECHO_WRITE": variable} if variable else {}),
        }
        asked: list[object] = []
        kosmo = Kosmo(
            integrations=[echo],
            environ=environ,
            config=Config(str(tmp_path), str(tmp_path / "kosmo.toml")),
            ask=lambda question: not asked.append(question),  # type: ignore[func-returns-value]  # None is falsy
        )
        try:
            kosmo.call(f"echo.{function}", {"text": "x"})
        except KosmoError as error:
            return {"denied": "deny"}[error.code]
        return "ask" if asked else "allow"

    return decide


def test_reads_are_allowed_and_writes_are_asked_about(decide: Decide) -> None:
    """DESIGN: the default policy."""
    assert (decide(function="say"), decide(function="change")) == ("allow", "ask")


@pytest.mark.parametrize(
    ("rules", "function", "decision"),
    [
        ('write = "deny"', "change", "deny"),
        ('write = "deny"', "say", "allow"),
        ('read = "ask"', "say", "ask"),
        ('"echo.write" = "allow"', "change", "allow"),
        ('"echo.*" = "deny"', "say", "deny"),
        ('"other.*" = "deny"', "say", "allow"),
        ('"echo.change" = "allow"', "change", "allow"),
        ('"echo@default.change" = "deny"', "change", "deny"),
        ('"echo@work.change" = "deny"', "change", "ask"),
        # the most specific wins
        ('write = "deny"\n"echo.write" = "allow"', "change", "allow"),
        ('"echo.*" = "deny"\n"echo.write" = "allow"', "change", "allow"),
        ('"echo.*" = "deny"\n"echo.write" = "allow"', "say", "deny"),
        ('"echo.change" = "deny"\n"echo.write" = "allow"', "change", "deny"),
        ('"echo.change" = "allow"\n"echo.write" = "deny"', "change", "allow"),
        ('"echo@default.change" = "allow"\n"echo.change" = "deny"', "change", "allow"),
        # neither is more specific: the stricter
        ('"echo@default.*" = "deny"\n"echo.change" = "allow"', "change", "deny"),
        ('"echo@default.*" = "allow"\n"echo.change" = "deny"', "change", "deny"),
    ],
)
def test_most_specific_rule_counts(
    decide: Decide, rules: str, function: str, decision: str
) -> None:
    """The card: per integration and access, per function and account; the most specific wins."""
    assert decide(f"[policy]\n{rules}", function=function) == decision


@pytest.mark.parametrize(
    ("user", "variable", "decision"),
    [
        ('"echo.write" = "deny"', "allow", "allow"),
        ('write = "deny"', "allow", "allow"),
        ('"echo.*" = "deny"', "allow", "allow"),
        ('"echo.change" = "deny"', "allow", "deny"),
        ('"echo@default.*" = "deny"', "allow", "deny"),
        ('"echo.change" = "allow"', "deny", "allow"),
    ],
)
def test_variable_wins_over_a_rule_that_is_no_sharper(
    decide: Decide, user: str, variable: str, decision: str
) -> None:
    """DESIGN: the environment comes before the files; a rule about one function stays."""
    assert decide(f"[policy]\n{user}", variable=variable) == decision


STRICT = ["allow", "ask", "deny"]


@pytest.mark.parametrize(("mine", "theirs"), [*itertools.product(STRICT, STRICT)])
def test_project_only_tightens(decide: Decide, mine: str, theirs: str) -> None:
    """The card: a cloned repository can grant itself nothing."""
    stricter = max(mine, theirs, key=STRICT.index)
    own = f'[policy]\n"echo.write" = "{mine}"'
    assert decide(own, f'[policy]\n"echo@default.change" = "{theirs}"') == stricter
    assert decide(project=f'[policy]\n"echo.change" = "{theirs}"', variable=mine) == stricter


@pytest.mark.parametrize(
    "project",
    [
        "[accounts.segment.default]\nwrite_key = 'x'",
        "[credentials.segment.default]\nwrite_key = 'x'",
        "[integrations.segment]\nenabled = true",
        "allow_force = true",
        "[segment]\ntracking_url = 'https://evil.example'",
        "[policy]\n'segment.write' = 'always'",
        "[policy]\n'segment' = 'deny'",
        "[limits]\ncpu = 0",
        "[limits]\ncpu = true",
        "[limits]\ncpus = 1",
        "limits = 1",
        "policy = 'deny'",
    ],
)
def test_project_may_say_nothing_else(tmp_path: Path, project: str) -> None:
    """The card: no credential field, no URL, no command; what it may not say ends the run before it calls."""
    (tmp_path / "kosmo.toml").write_text(project)
    config = Config(None, str(tmp_path / "kosmo.toml"))
    with pytest.raises(KosmoError) as caught:
        Kosmo(environ={}, config=config, force=True).call("segment.track", {})
    assert caught.value.code == "config_error"
    assert "kosmo.toml" in caught.value.message


def test_accounts_are_rules_of_their_own(kosmo_emulator: Emulator, tmp_path: Path) -> None:
    """The card: `segment@production.* = "deny"` holds for one account."""
    (tmp_path / "config.toml").write_text('[policy]\n"segment@production.*" = "deny"')
    environ = {
        "KOSMO_SEGMENT_WRITE": "allow",
        **{f"KOSMO_SEGMENT__{name}__WRITE_KEY": "key" for name in ("STAGING", "PRODUCTION")},
        **{
            f"KOSMO_SEGMENT__{name}__TRACKING_URL": kosmo_emulator.url
            for name in ("STAGING", "PRODUCTION")
        },
    }
    kosmo = Kosmo(environ=environ, config=Config(str(tmp_path)))
    assert kosmo.run(SEND.format("staging.")).success
    refused = kosmo.run(SEND.format("production."))
    assert refused.error_info is not None
    assert (refused.error_info.code, refused.exit_status) == ("denied", 77)
    path = tmp_path / "config.toml"
    assert f'(segment@production.* = "deny" in {path})' in str(refused.error)
    assert len(kosmo_emulator.events()) == 1


class TestAccountOfARule:
    """The account that a rule names, and those that there are."""

    @pytest.mark.parametrize("named", ["eu-prod", "eu_prod", "EU_PROD"])
    @pytest.mark.parametrize("asked", ["eu-prod", "eu_prod", "EU_PROD", "Eu-prod"])
    @pytest.mark.parametrize("stored", [True, False])
    def test_deny_holds_in_every_spelling(
        self, kosmo_emulator: Emulator, tmp_path: Path, named: str, asked: str, *, stored: bool
    ) -> None:
        """Ours: neither the rule nor the script needs the spelling that the other has."""
        url = kosmo_emulator.url
        environ = {
            "KOSMO_SEGMENT_WRITE": "allow",
            "KOSMO_SEGMENT__EU_PROD__WRITE_KEY": "key",
            "KOSMO_SEGMENT__EU_PROD__TRACKING_URL": url,
        }
        if stored:
            (tmp_path / "credentials.toml").write_text("[segment.eu-prod]\nwrite_key = 'key'")
            (tmp_path / "credentials.toml").chmod(0o600)
        (tmp_path / "config.toml").write_text(f'[policy]\n"segment@{named}.write" = "deny"')
        kosmo = Kosmo(environ=environ, config=Config(str(tmp_path)))
        call = SEND.format("").replace(".track", f'["{asked}"].track')
        refused = kosmo.run(f"{call}")
        assert refused.error_info is not None
        assert refused.error_info.code == "denied"
        batch = kosmo.run(f"batch(function() {call} end)")
        assert batch.error_info is not None
        assert batch.error_info.code == "denied"
        assert kosmo_emulator.events() == []

    @pytest.mark.parametrize(
        ("rule", "meant"),
        [
            ("echo@prodution.write", "production"),
            ("echo@Producton.*", "production"),
            ("echo@production_.change", "production"),
            ("echo@euprod.write", "eu_prod"),
            ("echo@eu-prd.write", "eu_prod"),
            ("echo@defualt.write", "default"),
        ],
    )
    @pytest.mark.parametrize("file", ["config.toml", "kosmo.toml"])
    def test_misspelt_account_is_a_mistake(
        self, tmp_path: Path, file: str, rule: str, meant: str
    ) -> None:
        """Ours: such a rule would deny nothing; it names the rule, the file and what was meant."""
        (tmp_path / file).write_text(f'[policy]\n"{rule}" = "deny"')
        misspelt = rule.partition("@")[2].partition(".")[0]
        nothing = f"the rule {rule} is about nothing: there is no account {misspelt} of echo"
        other = f"if it is another account, add that: kosmo accounts:add echo {misspelt}"
        with pytest.raises(KosmoError) as caught:
            accounts_of_echo(tmp_path).call("echo.change", {"text": "x"})
        assert (caught.value.code, caught.value.message, caught.value.hint) == (
            "config_error",
            f"{tmp_path / file}: {nothing}. Did you mean: {meant}?",
            f"Correct the rule; or, {other}",
        )

    @pytest.mark.parametrize("account", ["us_prod", "client2", "client10", "staging", "prod_eu"])
    def test_account_that_is_only_alike_may_be_configured_elsewhere(
        self, tmp_path: Path, account: str
    ) -> None:
        """Ours: `us_prod` is no misspelt `eu_prod`, nor `client2` a misspelt `client1`."""
        (tmp_path / "config.toml").write_text(f'[policy]\n"echo@{account}.write" = "deny"')
        assert accounts_of_echo(tmp_path).call("echo.change", {"text": "x"}) == {"text": "x"}

    def test_mcp_server_has_no_accounts(self, tmp_path: Path) -> None:
        """Ours: a rule about one of them would be about nothing."""
        (tmp_path / "config.toml").write_text('[policy]\n"mcp.github@work.write" = "deny"')
        nothing = "the rule mcp.github@work.write is about nothing: MCP servers have no accounts"
        with pytest.raises(KosmoError) as caught:
            accounts_of_echo(tmp_path).call("echo.change", {"text": "x"})
        assert caught.value.message == f"{tmp_path / 'config.toml'}: {nothing}"
        assert caught.value.hint == 'Write "mcp.github.write".'


def accounts_of_echo(folder: Path) -> Kosmo:
    """Return a Kosmo that may write with four accounts."""
    names = ("PRODUCTION", "EU_PROD", "CLIENT1", "CLIENT100")
    environ = {"KOSMO_ECHO_WRITE": "allow", **{f"KOSMO_ECHO__{name}__X": "y" for name in names}}
    config = Config(str(folder), str(folder / "kosmo.toml"))
    return Kosmo(integrations=[echo], environ=environ, config=config)


class TestForce:
    """--force, and who may refuse it."""

    def test_force_lifts_ask_and_deny(self, tmp_path: Path) -> None:
        """The card: for this run."""
        (tmp_path / "config.toml").write_text('[policy]\nwrite = "deny"')
        kosmo = Kosmo(environ={}, integrations=[echo], config=Config(str(tmp_path)), force=True)
        assert kosmo.call("echo.change", {"text": "x"}) == {"text": "x"}

    @pytest.mark.parametrize("whose", ["config.toml", "kosmo.toml"])
    def test_force_is_itself_refusable(self, tmp_path: Path, whose: str) -> None:
        """The card: allow_force = false, by the user or by a project."""
        (tmp_path / whose).write_text("allow_force = false")
        config = Config(str(tmp_path), str(tmp_path / "kosmo.toml"))
        with pytest.raises(KosmoError) as caught:
            Kosmo(environ={}, config=config, force=True)
        assert caught.value.code == "denied"
        assert str(tmp_path / whose) in caught.value.message
        assert Kosmo(environ={}, config=config).run("return 1").result == 1


class TestReadOnly:
    """Kosmo(read_only=True)."""

    @pytest.mark.parametrize("force", [True, False])
    def test_every_write_is_denied_whatever_the_policy_says(self, *, force: bool) -> None:
        """The card: also with force, and also on the emulator."""
        environ = {"KOSMO_SEGMENT_WRITE": "allow"}
        with Kosmo(environ=environ, emulator=True, read_only=True, force=force) as kosmo:
            result = kosmo.run(SEND.format(""))
            assert result.error_info is not None
            assert result.error_info.code == "denied"
            assert "read-only" in str(result.error)
            assert kosmo.emulator.events() == []
            assert kosmo.call("segment.get_current_user")


def test_disabled_integration_cannot_be_called(tmp_path: Path) -> None:
    """Ours: as upstream's `active`; force does not lift it."""
    (tmp_path / "config.toml").write_text("[integrations.echo]\nenabled = false")
    config = Config(str(tmp_path))
    with pytest.raises(KosmoError) as caught:
        Kosmo(environ={}, integrations=[echo], config=config, force=True).call(
            "echo.say", {"text": "x"}
        )
    assert caught.value.code == "denied"
    assert caught.value.hint == "Run: kosmo integrations:configure echo --enable"


class TestHint:
    """What is said to do next is what would allow the call."""

    def hint(self, folder: Path, **environ: str) -> str | None:
        """Return the hint of a refused write."""
        kosmo = Kosmo(environ=environ, integrations=[echo], config=Config(str(folder)))
        with pytest.raises(KosmoError) as caught:
            kosmo.call("echo.change", {"text": "x"})
        return caught.value.hint

    def test_variable_is_named_where_it_would_help(self, tmp_path: Path) -> None:
        """The card: the exact way; here no file says anything."""
        allowed = "Allow it with Kosmo(force=True), or set KOSMO_ECHO_WRITE=allow."
        assert self.hint(tmp_path) == allowed
        assert self.hint(tmp_path, KOSMO_ECHO_WRITE="deny") == allowed

    def test_rule_is_named_where_a_variable_would_do_nothing(self, tmp_path: Path) -> None:
        """Ours: a rule that is sharper than the variable has to be changed itself."""
        (tmp_path / "config.toml").write_text('[policy]\n"echo.change" = "deny"')
        rule = f"change that rule in {tmp_path / 'config.toml'}"
        assert self.hint(tmp_path) == f"Allow it with Kosmo(force=True), or {rule}."

    def test_force_is_not_offered_where_it_is_refused(self, tmp_path: Path) -> None:
        """Ours: a hint that does not work is worse than none."""
        (tmp_path / "config.toml").write_text("allow_force = false")
        assert self.hint(tmp_path) == "Set KOSMO_ECHO_WRITE=allow."
