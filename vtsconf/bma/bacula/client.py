"""Bacula (and Bareos): bacula-fd.conf, the configuration of the file daemon, and the settings by which tapes move.

What the file holds and that a quoted string has at most 127 characters was found with Bacula 9.6.7.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from vtsconf.bma.application import Client, Fact, Line, ManagedFile, Options, plainly, rows
from vtsconf.bma.judging import Message
from vtsconf.bma.own import Limited, Text, tables
from vtsconf.core import fields
from vtsconf.core.fields import Argv, Listed, Mode, Named, Path, Reference, Seconds, refusal
from vtsconf.core.probe import Query
from vtsconf.core.problem import Problem
from vtsconf.core.secret import SecretRule

NAME = "bacula"
TITLE = "Bacula"

LONGEST = 127  # characters of a quoted string
_UNQUOTABLE = '"\\\n\r'


def _quotable(value: str) -> str:
    if len(value) > LONGEST or any(char in value for char in _UNQUOTABLE):
        raise refusal(
            f"`{value[:40]}` cannot be written between quotes",
            why=f"Bacula takes at most {LONGEST} characters there, and neither quote nor backslash is safe in them",
            remedy="shorten or change it",
        )
    return value


Quoted = Annotated[Line, BeforeValidator(lambda value: _quotable(value) if isinstance(value, str) else value)]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]
Directive = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 ]{0,60}$")]


class Director(fields.Settings):
    """A Director that may use this client; `password` is what it must know."""

    password: Reference
    monitor: bool = False
    options: dict[Directive, Options] = Field(default_factory=dict)


class Console(fields.Settings):
    """bconsole on the server: it says whether the Director reaches this client, and moves tapes.

    Its configuration holds a password and is not ours.
    """

    program: Path
    config: Path


# A name of the Director's that stands in a command of its console, where we quote nothing.
Resource = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$")]


class Migration(fields.Settings):
    r"""How the executor moves tapes: names of the Director's resources, and how long to wait for what.

    A full backup is asked for. Each job's FileSet must read its list here when it starts: `File = "\\<LIST"`.
    """

    jobs: dict[Resource, Path] = Field(
        description="Jobs that archive, one for each migration at a time, and the list that its FileSet reads here."
    )
    restore_job: Resource = Field(description="The job of type Restore.")
    verify_job: Resource | None = Field(
        default=None,
        description="A job of type Verify and level VolumeToCatalog, for `options: {verify: true}`.",
    )
    client: Resource | None = Field(
        default=None, description="What the Director calls this client. Not set: `name`."
    )
    timeout: Seconds = Field(default=12 * 3600, description="How long a job may take before we cancel it.")
    wait_for_tape: Seconds = Field(
        default=1800,
        description="How long a job may wait for a tape before we cancel it: it would wait for ever (Bacula 9.6.7).",
    )
    answer_within: Seconds = Field(default=60, description="How long one question to the Director may take.")
    give_up: Seconds = Field(
        default=600, description="How long the Director may be silent while a job runs, before nobody knows."
    )
    history: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        default=5000,
        description="How many of each job's newest runs are looked through for one that has begun.",
    )
    messages: Named[Text] = Field(
        default_factory=dict, description="Texts in a job's log: the site's own reading of them."
    )

    @field_validator("jobs")
    @classmethod
    def _are_apart(cls, jobs: dict[str, str]) -> dict[str, str]:
        if not jobs:
            raise refusal(
                "no job is named", remedy="add one: jobs: {vts-migrate-1: /var/lib/vtsconf/bacula/1}"
            )
        if len(set(jobs.values())) < len(jobs):
            raise refusal(
                "two jobs read the same list",
                why="a list may not change before its job has ended",
                remedy="give each job a list and a FileSet of its own",
            )
        return jobs

    def rows(self) -> tuple[Message, ...]:
        """The site's own rows, which go before the built-in ones."""
        return tables({}, self.messages, {}, source="the site's own row").messages


class Settings(Limited, Client):
    """The Bacula client of one server: what stands in bacula-fd.conf."""

    directors: Named[Director]
    name: Quoted
    working_directory: Path
    pid_directory: Path
    address: Address | None = None  # Bacula takes it without quotes only
    port: Annotated[int, Field(ge=1, le=65535)] = 9102
    concurrent_jobs: Annotated[int, Field(ge=1, le=1000)] = 4
    options: dict[Directive, Options] = Field(default_factory=dict)  # further ones of FileDaemon
    messages: Named[Listed[Line]] = Field(default_factory=dict)  # destinations, by Director
    config: Path = "/etc/bacula/bacula-fd.conf"
    program: Path = "/usr/sbin/bacula-fd"
    console: Console | None = None
    migration: Migration | None = None
    validate_with: Argv | None = Field(default=None, alias="validate")
    mode: Mode = "0600"

    @field_validator("directors")
    @classmethod
    def _has_a_director(cls, directors: dict[str, Director]) -> dict[str, Director]:
        if not directors:
            raise refusal("no Director is named", remedy="add one: directors: {NAME: {password: secret://…}}")
        return directors

    @field_validator("options")
    @classmethod
    def _leaves_ours(cls, options: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        ours = {
            "name": "name",
            "fdaddress": "address",
            "fdport": "port",
            "workingdirectory": "working_directory",
            "piddirectory": "pid_directory",
            "maximumconcurrentjobs": "concurrent_jobs",
        }
        for word in options:
            if key := ours.get(word.replace(" ", "").casefold()):
                raise refusal(f"{word} does not stand here", remedy=f"write it as `{key}`")
        return options

    @model_validator(mode="after")
    def _can_ask(self) -> Settings:
        if self.migration and not self.console:
            raise refusal(
                "tapes are moved through bconsole, and it is not named",
                remedy="add console: {program: /usr/sbin/bconsole, config: …}",
            )
        return self

    @field_validator("mode")
    @classmethod
    def _keeps_the_password(cls, mode: str) -> str:
        if not mode.endswith("0"):
            raise refusal(
                f"with the mode {mode} every user of the server could read the Director's password",
                remedy='write "0600", or "0640" with a group of its own',
            )
        return mode


def files(settings: Settings) -> Sequence[ManagedFile]:
    """One file, which holds the Directors' passwords."""
    file = settings.file(settings.config, "bacula/bacula-fd.conf.j2", _variables(settings))
    rule = SecretRule(forbidden=_UNQUOTABLE, longest=LONGEST)
    return (replace(file, validate=settings.validate_with or (), secrets=rule),)


def _variables(settings: Settings) -> Mapping[str, object]:
    directors = [
        {
            "name": name,
            "password": str(director.password),
            "monitor": director.monitor,
            "options": rows(director.options),
        }
        for name, director in settings.directors.items()
    ]
    messages = settings.messages or {next(iter(settings.directors)): ("all", "!skipped", "!restored")}
    return {
        "name": settings.name,
        "address": settings.address,
        "port": settings.port,
        "working_directory": settings.working_directory,
        "pid_directory": settings.pid_directory,
        "concurrent_jobs": settings.concurrent_jobs,
        "options": rows(settings.options),
        "directors": directors,
        "messages": [{"director": name, "what": ", ".join(what)} for name, what in messages.items()],
    }


# The console takes its commands on stdin; the words behind the script are its program and configuration.
_ASK = 'printf "%s\\n" "$1" quit | "$2" -n -c "$3"'


def facts(settings: Settings) -> Sequence[Fact]:
    """The version from the daemon's own help, on stderr with exit 1; both as found with 9.6.7."""
    version = Query("facts/bacula/version", plainly(settings.program, "-?"))
    facts = [
        Fact(
            name="version",
            query=version,
            pattern=r"Version: *(\d+\.\d+\.\d+)",
            exit_counts=False,
            source="Bacula 9.6.7",
        )
    ]
    if settings.console:
        ask = f"status client={settings.name}"
        argv = plainly("sh", "-c", _ASK, "sh", ask, settings.console.program, settings.console.config)
        contact = Query("facts/bacula/contact", argv, timeout=30)
        # A Director that does not know the name asks another client instead: the name must be in the answer.
        pattern = rf"^({re.escape(settings.name)}) Version: .*\nDaemon started"
        facts.append(Fact(name="reachable", query=contact, pattern=pattern, source="Bacula 9.6.7"))
    return tuple(facts)


def lints(settings: Settings, vaults: Collection[str]) -> Sequence[Problem]:
    """Nothing beyond what the settings refuse themselves."""
    del settings, vaults
    return ()
