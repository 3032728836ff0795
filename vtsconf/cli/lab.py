"""`vtsconf lab up|down|status|break`: servers to play with, on this machine."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vtsconf.cli import options
from vtsconf.core.errors import Invalid
from vtsconf.core.problem import errors

if TYPE_CHECKING:
    from vtsconf.engine.lab.lab import Lab

DEFAULT = "vtsconf-lab"

folder = click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Servers to play with, on this machine, without root.

    A lab is a folder. Each of its servers is an SSH server on loopback with a tree of files of its
    own: a configuration file, services, an event log, virtual tapes, and stand-ins for the
    command lines of backup applications and for the command that takes VTSPolicy lines. An
    example project comes with it.

    DIR is, when not given, the lab around the current folder, or `vtsconf-lab` in it.

    \b
    Example:
      vtsconf lab up --servers 3
      cd vtsconf-lab
      vtsconf plan
      vtsconf lab break vts2 service-fails ems --once
      vtsconf apply
      vtsconf lab down --purge
    """  # noqa: D301 \b is click's mark for a paragraph that is not to be wrapped


@command.command(
    epilog="Examples: `vtsconf lab up`, `vtsconf lab up --servers 20 /tmp/lab`, "
    "`vtsconf lab up --like site/inventory.yaml`."
)
@click.option(
    "--servers",
    type=click.IntRange(1, 200),
    metavar="N",
    help="How many.  [default: as many as there are, or 3]",
)
@click.option(
    "--like",
    metavar="INVENTORY",
    help="Servers with the names of a project's hosts, to rehearse that project.",
)
@folder
def up(servers: int | None, like: str | None, folder: Path | None) -> None:
    """Switch a lab on; make it first when there is none.

    Running it again is harmless: files that exist are left alone, servers keep their ports, and
    more servers can be added. DIR must be empty, or a lab, or not exist yet.

    With --like, the lab has no project of its own. Rehearse yours with `-e @DIR/rehearse.yaml`, which
    leads to the lab: `ansible_host` and its like, and `vts_root`, the folder that stands for the
    server's `/`. Paths on the server must begin with it: "{{ vts_root }}/usr/local/tape/…".
    """
    from vtsconf.engine.lab.lab import Lab

    if like is not None and servers is not None:
        raise click.UsageError("--servers and --like exclude one another")
    lab = Lab.up(_found(folder), servers=servers, names=_hosts_of(like) if like else (), detached=True)
    width = max(len(host.name) for host in lab.hosts)
    for host in lab.hosts:
        click.echo(f"{host.name:{width}}  127.0.0.1:{host.port}  {host.tree.root}")
    click.echo(f"{len(lab.hosts)} server(s) on, served by process {lab.pid}", err=True)
    if like:
        rehearse = shlex.quote(f"@{_shorter(lab.folder)}/rehearse.yaml")
        click.echo(f"next: vtsconf plan -i {shlex.quote(like)} -e {rehearse}", err=True)
    else:
        click.echo(f"next: {_step_into(lab)}vtsconf plan", err=True)


def _hosts_of(inventory: str) -> list[str]:
    from vtsconf.engine.project import Project

    project = Project.load(inventory)
    if wrong := errors(project.problems):
        raise Invalid(wrong)
    return [host.name for host in project.hosts()]


@command.command(epilog="Examples: `vtsconf lab down`, `vtsconf lab down --purge /tmp/lab`.")
@click.option("--purge", is_flag=True, help="Delete the folder too, with everything in it.")
@folder
def down(purge: bool, folder: Path | None) -> None:
    """Switch a lab off: its servers, and every process they have started. The files stay.

    Only the processes of this very lab are ended, and only a folder that carries a lab's marker is
    deleted.
    """
    from vtsconf.engine.lab.lab import Lab

    lab = Lab(_found(folder))
    was_on = lab.down(purge=purge)
    click.echo(
        f"{lab.folder}: {'switched off' if was_on else 'was off'}{', deleted' if purge else ''}", err=True
    )


@command.command(epilog="Examples: `vtsconf lab status`, `vtsconf lab status --json`.")
@options.json_flag
@folder
def status(as_json: bool, folder: Path | None) -> None:
    """Show servers, what their services run with, and the faults that are on.

    A service is `current` when it runs with the lines of the configuration file that it reads (ems: ems_,
    tapeserver: hsm_ and lab_), `behind` when they have changed since it was restarted, or `stopped`.
    """
    from vtsconf.engine.lab.lab import Lab

    seen = Lab(_found(folder)).status()
    if as_json:
        click.echo(json.dumps(seen, indent=1))
        return
    click.echo(f"{seen['folder']}: {'on' if seen['pid'] else 'off'}")
    for host in seen["hosts"]:
        click.echo(_line(host))


def _line(host: dict[str, Any]) -> str:
    services = ", ".join(f"{name} {state}" for name, state in host["services"].items())
    faults = f"  ! {'; '.join(host['faults'])}" if host["faults"] else ""
    return f"  {host['host']}  port {host['port']}  {services}  {len(host['processes'])} processes{faults}"


class _Break(click.Command):
    """Lists the faults below its options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from vtsconf.engine.lab.faults import KINDS

        with formatter.section("Faults"):
            formatter.write_dl([(f"{kind.name} {kind.takes}".strip(), kind.does) for kind in KINDS])
        super().format_epilog(ctx, formatter)


@command.command(
    "break",
    cls=_Break,
    context_settings={"ignore_unknown_options": True},
    epilog="Example: vtsconf lab break vts1 drop-after armed --once",
)
@click.option("--off", is_flag=True, help="Turn it off again. Without FAULT: all of them.")
@click.option("--once", is_flag=True, help="It goes out by itself when it has struck.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), metavar="DIR", help="The lab.")
@click.argument("host")
@click.argument("fault", required=False)
@click.argument("arguments", nargs=-1)
def break_(
    host: str, fault: str | None, arguments: tuple[str, ...], off: bool, once: bool, folder: Path | None
) -> None:
    """Turn a fault of a server on, or with --off off.

    A fault strikes the connections and commands that come after it was turned on.
    """
    from vtsconf.engine.lab.faults import NAMES, check
    from vtsconf.engine.lab.lab import Lab

    server = Lab(_found(folder)).host(host)
    if off:
        if fault and fault not in NAMES:
            check(fault, ())  # says which there are
        server.mend(fault)
    elif fault is None:
        raise click.UsageError("which fault? `vtsconf lab break --help` lists them")
    else:
        server.break_(fault, *arguments, once=once)
    click.echo(f"{host}: {'; '.join(map(str, server.faults)) or 'no faults'}", err=True)


def _found(folder: Path | None) -> Path:
    """The lab that is meant: the one given, else the one we are in, else the default below us."""
    if folder is not None:
        return folder
    here = Path.cwd()
    for candidate in (here, *here.parents):
        if (candidate / ".lab/lab.json").is_file():
            return candidate
    return here / DEFAULT


def _step_into(lab: Lab) -> str:
    if Path.cwd() == lab.folder:
        return ""
    return f"cd {shlex.quote(_shorter(lab.folder))} && "


def _shorter(folder: Path) -> str:
    """From here or from the root, whichever is less to read."""
    return min(os.path.relpath(folder), str(folder), key=len)
