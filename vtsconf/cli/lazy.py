"""Groups of commands that know their names and one-line helps, and import a command only when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """`sections`: title → name → help; each name is a module of `package` with a `command`."""

    def __init__(
        self, *args: object, sections: Mapping[str, Mapping[str, str]], package: str, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._sections, self._package = sections, package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click passes it
        return [name for section in self._sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{self._package}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.list_commands(ctx):
            from vtsconf.core.problem import suggestion

            hint = (
                suggestion(name, self.list_commands(ctx)) or f"`{ctx.command_path} --help` lists the commands"
            )
            ctx.fail(f"there is no command `{name}`; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 likewise
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))
