"""One function as a command: its options are made from its schema, so click gives help and completion."""

import json
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.accounts import DEFAULT
from kosmo_lua.cli import payload as payloads
from kosmo_lua.cli.approval import Approval, on_terminal, with_force
from kosmo_lua.cli.arguments import account_names
from kosmo_lua.cli.delivery import made_options
from kosmo_lua.cli.output import Printer, can_rewrite
from kosmo_lua.cli.parameters import Flag, Parameter, flags_of, parameters_of
from kosmo_lua.cli.report import Report
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.cli.usage import refused
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.errors import InvalidArguments
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.catalog import Target

_OWN = (
    click.Option(
        ["--arg", "assigned"], multiple=True, metavar="NAME=VALUE", help="Any parameter."
    ),
    click.Option(
        ["--account"],
        metavar="NAME",
        default="default",
        shell_complete=account_names,
        help="Whose credentials.",
    ),
    click.Option(["--force"], is_flag=True, help="Lift the policies ask and deny for this call."),
    click.Option(["--read-only"], is_flag=True, help="Deny every write."),
    click.Option(["--emulator"], is_flag=True, help="Call the emulator: nothing real."),
    *made_options(),
    click.Option(["--dry-run"], is_flag=True, help="Show the request, send nothing."),
    click.Option(["-q", "--quiet"], is_flag=True, help="Show no progress on the terminal."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print the envelope."),
)
_NOT_OF_TOOLS = ("account", "emulator", "run_id", "retry_budget")
"""What a tool of an MCP server has not: accounts, an emulator, and requests that may be repeated."""
_TAKEN = {spelling for option in _OWN for spelling in option.opts} | {"--help"}

_PAYLOAD = "JSON is an object with the parameters, `-` reads it from stdin; flags do the same."


class FunctionCommand(OnceCommand):
    """One function: its parameters are options, or fields of a JSON object."""

    def __init__(self, name: str, target: "Target") -> None:
        function = target.function
        super().__init__(
            name,
            callback=self._call,
            help=f"{function.summary}\n\n{function.description}\n\n{_PAYLOAD}",
            short_help=function.summary,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        self.target = target
        self._made: list[click.Parameter] = []
        self._parameters: dict[str, Parameter] = {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options; the schema is built only now, as lists of commands need none of it."""
        if not self._made:
            schema = self.target.function.schema()
            self._parameters = parameters_of(schema)
            payload = click.Argument(["payload"], required=False, metavar="[JSON | -]")
            flags = flags_of(self._parameters.values(), schema.get("required"), _TAKEN)
            help_option = self.get_help_option(ctx)
            hidden = _NOT_OF_TOOLS if self.target.function.is_tool else ()
            own = [option for option in _OWN if option.name not in hidden]
            self._made = [payload, *flags, *own, *([help_option] if help_option else [])]
        return self._made

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the parameters of the function apart from the options that every function has."""
        params = self.get_params(ctx)
        for title, own in (("Parameters", False), ("Options", True)):
            options = [p for p in params if isinstance(p, click.Option)]
            records = [p.get_help_record(ctx) for p in options if isinstance(p, Flag) is not own]
            with formatter.section(title):
                formatter.write_dl([record for record in records if record])
        hidden = {*self._parameters} - {flag.parameter.name for flag in self._flags}
        if hidden:
            formatter.write_paragraph()
            formatter.write_text(f"Only with --arg, or in JSON: {', '.join(sorted(hidden))}.")

    def _call(self, **options: Any) -> int:  # noqa: ANN401  # click's values, one for each option
        from kosmo_lua.arguments import assigned  # noqa: PLC0415  # pydantic; loaded with the integration

        target = self.target
        config, printer = Config.here(), Printer()
        asks = on_terminal() and options["payload"] != "-"
        shows = not (options["as_json"] or options["quiet"]) and can_rewrite()
        with Kosmo(
            config=config,
            emulator=options.get("emulator", False),
            force=options["force"],
            read_only=options["read_only"],
            ask=Approval(printer.undisturbed).ask if asks else None,
            retry_budget=options.get("retry_budget"),
            run_id=options.get("run_id"),
            audit=None if options.get("emulator") else config.path(AUDIT),
            remedy=with_force,
        ) as kosmo:
            arguments = self._arguments(options)
            with printer, assigned(self._assign):
                result = kosmo.attempt(
                    target.name,
                    arguments,
                    account=options.get("account", DEFAULT),
                    dry_run=options["dry_run"],
                    on_progress=printer.show if shows else None,
                )
        return Report(as_json=options["as_json"]).call(result)

    def _arguments(self, options: dict[str, Any]) -> JsonObject:
        """Return the arguments of the call, each given in one way only.

        Raises:
            InvalidArguments: one is given in two ways, or is not what it should be.
        """
        try:
            texts = self._texts(options)
            arguments = payloads.read(
                options["payload"], or_piped=bool(self._parameters) and not texts
            )
            for name, values in texts.items():
                if name in arguments:
                    raise _twice(name, "in the JSON and as a flag or with --arg")
                arguments[name] = self._parameter(name).value(values)
        except InvalidArguments as error:
            error.function = self.target.function.full_name
            error.message = f"{error.function}: {error.message}"
            raise
        return arguments

    def _texts(self, options: dict[str, Any]) -> dict[str, list[str]]:
        """Return what was given with --arg and as flags, by the names of the parameters."""
        texts: dict[str, list[str]] = {}
        for each in options["assigned"]:
            name, equals, text = each.partition("=")
            if not equals:
                message = f"--arg takes NAME=VALUE, got {each}"
                raise refused(message)
            texts.setdefault(self._spelt(name), []).append(text)
        for name, values in texts.items():
            if len(values) > 1 and not self._parameter(name).is_list:
                raise _twice(name, "with --arg")
        for flag in self._flags:
            name, text = flag.parameter.name, options[flag.name or ""]
            if text in (None, ()):
                continue
            if name in texts:
                raise _twice(name, "as a flag and with --arg")
            texts[name] = [*text] if isinstance(text, tuple) else [text]
        return texts

    def _assign(self, name: str, value: Json) -> str:
        """Write an argument as a flag, for what is said about it."""
        text = quote(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        own = any(f"--{name}" in flag.opts for flag in self._flags)
        return f"--{name} {text}" if own else f"--arg {name}={text}"

    def _parameter(self, name: str) -> Parameter:
        """Return a parameter; one that does not exist is a text, which the validation refuses."""
        return self._parameters.get(name, Parameter(name, {}, {}))

    def _spelt(self, name: str) -> str:
        """Return the parameter's own name for one in kebab-case or snake_case."""
        own = (flag.parameter.name for flag in self._flags if f"--{name}" in flag.opts)
        return name if name in self._parameters else next(own, name)

    @property
    def _flags(self) -> list[Flag]:
        return [each for each in self._made if isinstance(each, Flag)]


def _twice(name: str, how: str) -> InvalidArguments:
    message = f"{name} is given twice, {how}"
    return InvalidArguments(message)
