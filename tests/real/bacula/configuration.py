"""The configuration of a whole Bacula in one folder: values in, texts out.

Names: Director `vts-dir`, client `vts-fd`, storage `Library` with two drives, jobs `vts-migrate-1` and `-2` with a list each,
`vts-restore`, `vts-verify`; the console that the product uses, `vtsconf`, may do what it must and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

ADDRESS = "127.0.0.1"
CLIENT = "vts-fd"
JOBS = ("vts-migrate-1", "vts-migrate-2")
RESTORE, VERIFY = "vts-restore", "vts-verify"
# What `vtsconf`'s own console may say: all that the adapter sends, and no more.
COMMANDS = (
    "run",
    "restore",
    "cancel",
    "status",
    "list",
    "llist",
    "version",
    ".bvfs_update",
    ".bvfs_lsfiles",
    "quit",
)

Value = str | int | tuple[str, ...] | Mapping[str, object]


def resource(kind: str, directives: Mapping[str, Value], depth: int = 0) -> str:
    """One block. A tuple is a directive several times; a mapping is a block inside; texts stand in quotes."""
    pad = "  " * (depth + 1)
    lines = [f"{'  ' * depth}{kind} {{"]
    for name, value in directives.items():
        if isinstance(value, Mapping):
            lines.append(resource(name, value, depth + 1))  # type: ignore[arg-type]
        else:
            lines += [
                f"{pad}{name} = {_value(one)}" for one in (value if isinstance(value, tuple) else (value,))
            ]
    return "\n".join([*lines, f"{'  ' * depth}}}"])


def _value(value: str | int) -> str:
    """An address stands without quotes, or it is none."""
    if isinstance(value, int) or value == ADDRESS:
        return str(value)
    return '"' + value.replace("\\", "\\\\") + '"'


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is. `ports`: Director, storage daemon, file daemon."""

    base: Path
    tree: Path
    ports: tuple[int, int, int]
    slots: int
    tape_bytes: int
    connect_timeout: int  # seconds; the defaults are minutes, in which a job does not even heed `cancel`
    passwords: Mapping[str, str] = field(
        default_factory=lambda: {who: token_hex(16) for who in ("operator", "vtsconf", "sd", "fd")}
    )

    def at(self, name: str) -> str:
        return str(self.base / name)

    def files(self) -> dict[str, str]:
        """Name below `etc` → text."""
        return {
            "bacula-dir.conf": _text(self._director()),
            "bacula-sd.conf": _text(self._storage()),
            "bacula-fd.conf": _text(self._client()),
            "operator.conf": _text(self._console("operator")),
            "vtsconf.conf": _text(self._console("vtsconf")),
            "changer.conf": f"maxslot={self.slots}\nmaxdrive=1\n",
            "query.sql": "",
        }

    def _daemon(self) -> dict[str, Value]:
        return {
            "Working Directory": self.at("var"),
            "Pid Directory": self.at("run"),
            "Maximum Concurrent Jobs": 4,
        }

    def _director(self) -> Iterable[str]:
        yield resource(
            "Director",
            {
                "Name": "vts-dir",
                "Dir Address": ADDRESS,
                "Dir Port": self.ports[0],
                "Query File": self.at("etc/query.sql"),
                **self._daemon(),
                "FD Connect Timeout": self.connect_timeout,
                "SD Connect Timeout": self.connect_timeout,
                "Password": self.passwords["operator"],
                "Messages": "Daemon",
            },
        )
        yield resource("Catalog", {"Name": "Catalog", "DB Name": "bacula", "DB User": "", "DB Password": ""})
        yield resource(
            "Client",
            {
                "Name": CLIENT,
                "Address": ADDRESS,
                "FD Port": self.ports[2],
                "Catalog": "Catalog",
                "Password": self.passwords["fd"],
                "Auto Prune": "no",
                "Maximum Concurrent Jobs": 4,
            },
        )
        yield resource(
            "Autochanger",
            {
                "Name": "Library",
                "Address": ADDRESS,
                "SD Port": self.ports[1],
                "Password": self.passwords["sd"],
                "Device": "Library",
                "Media Type": "Cartridge",
                "Autochanger": "Library",
                "Maximum Concurrent Jobs": 4,
            },
        )
        yield resource(
            "Pool",
            {
                "Name": "Tapes",
                "Pool Type": "Backup",
                "Recycle": "no",
                "Auto Prune": "no",
                "Maximum Volume Bytes": self.tape_bytes,
            },
        )
        yield from self._jobs()
        yield self._restricted()
        for name in ("Standard", "Daemon"):
            log = "all, !skipped"
            catalog = {"Catalog": "all"} if name == "Standard" else {}
            yield f'Messages {{\n  Name = {name}\n  append = "{self.at("log/bacula.log")}" = {log}\n' + (
                "  catalog = all\n}" if catalog else "}"
            )

    def _jobs(self) -> Iterable[str]:
        common = {"Client": CLIENT, "Storage": "Library", "Pool": "Tapes", "Messages": "Standard"}
        for number, name in enumerate(JOBS, 1):
            include = {
                "Options": {"Signature": "SHA1"},
                "File": f"\\<{self.at(f'lists/{number}')}",  # read by the file daemon when the job starts
            }
            yield resource(
                "FileSet", {"Name": f"vts-list-{number}", "Ignore FileSet Changes": "yes", "Include": include}
            )
            alone = {
                "Allow Duplicate Jobs": "no",
                "Cancel Queued Duplicates": "no",
                "Cancel Lower Level Duplicates": "no",
            }
            kind = {"Type": "Backup", "Level": "Full", "FileSet": f"vts-list-{number}"}
            yield resource("Job", {"Name": name, **kind, **common, **alone})
        yield resource(
            "FileSet", {"Name": "vts-none", "Include": {"Options": {"Signature": "SHA1"}, "File": "/none"}}
        )
        back = {
            "Type": "Restore",
            "FileSet": "vts-none",
            "Where": "/",
            "Replace": "always",
            "Maximum Concurrent Jobs": 2,
        }
        yield resource("Job", {"Name": RESTORE, **back, **common})
        yield resource(
            "Job",
            {"Name": VERIFY, "Type": "Verify", "Level": "VolumeToCatalog", "FileSet": "vts-none", **common},
        )

    def _restricted(self) -> str:
        return resource(
            "Console",
            {
                "Name": "vtsconf",
                "Password": self.passwords["vtsconf"],
                "Command ACL": COMMANDS,
                "Client ACL": CLIENT,
                "Backup Client ACL": CLIENT,
                "Restore Client ACL": CLIENT,
                "Job ACL": (*JOBS, RESTORE, VERIFY),
                "FileSet ACL": ("vts-list-1", "vts-list-2", "vts-none"),
                "Storage ACL": "Library",
                "Pool ACL": "Tapes",
                "Catalog ACL": "Catalog",
                "Where ACL": "/",
            },
        )

    def _storage(self) -> Iterable[str]:
        plugins = {"Plugin Directory": str(self.tree / "usr/lib/bacula")}
        yield resource(
            "Storage",
            {"Name": "vts-sd", "SD Address": ADDRESS, "SD Port": self.ports[1], **self._daemon(), **plugins},
        )
        yield resource("Director", {"Name": "vts-dir", "Password": self.passwords["sd"]})
        yield resource(
            "Autochanger",
            {
                "Name": "Library",
                "Device": ("Drive-0", "Drive-1"),
                "Changer Command": f"{self.at('etc/disk-changer')} %c %o %S %a %d",
                "Changer Device": self.at("etc/changer.conf"),
            },
        )
        for drive in (0, 1):
            yield resource(
                "Device",
                {
                    "Name": f"Drive-{drive}",
                    "Drive Index": drive,
                    "Autochanger": "yes",
                    "Media Type": "Cartridge",
                    "Device Type": "File",
                    "Archive Device": self.at(f"library/drive{drive}"),
                    "Label Media": "no",
                    "Random Access": "yes",
                    "Automatic Mount": "yes",
                    "Removable Media": "no",
                    "Always Open": "no",
                },
            )
        yield "Messages {\n  Name = Standard\n  director = vts-dir = all\n}"

    def _client(self) -> Iterable[str]:
        plugins = {"Plugin Directory": str(self.tree / "usr/lib/bacula")}
        yield resource(
            "FileDaemon",
            {"Name": CLIENT, "FD Address": ADDRESS, "FD Port": self.ports[2], **self._daemon(), **plugins},
        )
        yield resource("Director", {"Name": "vts-dir", "Password": self.passwords["fd"]})
        yield "Messages {\n  Name = Standard\n  director = vts-dir = all, !skipped, !restored\n}"

    def _console(self, who: str) -> Iterable[str]:
        operator = self.passwords["operator"] if who == "operator" else "unused"
        yield resource(
            "Director",
            {"Name": "vts-dir", "Address": ADDRESS, "Dir Port": self.ports[0], "Password": operator},
        )
        if who != "operator":
            yield resource("Console", {"Name": who, "Password": self.passwords[who]})


def _text(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"
