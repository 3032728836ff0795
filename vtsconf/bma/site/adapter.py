"""A backup application that a site has defined, as what the rest of the program asks of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field, create_model

from vtsconf.bma.application import Fact, ManagedFile
from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.bma.judging import NUMBER, OWN, Code, Message, Proof, Tables, exits, whole_lines
from vtsconf.bma.judging import judge as judged
from vtsconf.bma.own import Judged, tables
from vtsconf.bma.site import placeholders
from vtsconf.bma.site.shells import read_again
from vtsconf.bma.site.written import Probe, Run, Value, Written
from vtsconf.bma.words import (
    Option,
    deletes_within,
    fit_options,
    fit_paths,
    fit_token,
    harmless,
    wrong_options,
)
from vtsconf.core.errors import Refused
from vtsconf.core.printable import printable
from vtsconf.core.probe import Query
from vtsconf.core.problem import Problem

ACTIONS = ("archive", "restore", "locate")


class OfSite(Judged):
    """What stands under `vts.bma.NAME` of a BMA that the site has defined; it knows which one that is."""

    application: ClassVar[SiteBma]


@dataclass(frozen=True, kw_only=True)
class SiteBma:
    """One file of `bmas/`."""

    NAME: str
    written: Written
    TITLE: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "TITLE", self.written.title or self.NAME)

    @cached_property
    def Settings(self) -> type[OfSite]:  # noqa: N802 as a module has it
        """A model with the settings that the file asks for."""
        fields: dict[str, Any] = {
            name: (
                str,
                Field(default=... if value.default is None else value.default, description=value.help),
            )
            for name, value in self.written.settings.items()
        }
        model: type[OfSite] = create_model(f"{self.NAME}_settings", __base__=OfSite, **fields)
        model.application = self
        return model

    @cached_property
    def options(self) -> tuple[Option, ...]:
        return tuple(_option(name, value) for name, value in self.written.options.items())

    @cached_property
    def tables(self) -> Tables:
        """The rows of all three commands."""
        rows = [_rows(self.NAME, action, getattr(self.written, action)) for action in ACTIONS]
        return Tables(
            codes=tuple(c for t in rows for c in t.codes),
            messages=(*self._nothing(), *(m for t in rows for m in t.messages)),
            proofs=tuple(self._proofs()),
        )

    def _nothing(self) -> Iterator[Message]:
        if pattern := self.written.locate.nothing:
            yield Message(
                pattern=pattern,
                exits=OWN,
                actions=("locate",),
                is_answer=True,
                verdict=Verdict.SUCCESS,
                reason="the catalogue has answered, and holds no such copy",
                source=_source(self.NAME),
                sure="site",
            )

    def _proofs(self) -> Iterator[Proof]:
        patterns = {
            "archive": self.written.archive.proof,
            "restore": self.written.restore.proof,
            "locate": rf"^(?:{self.written.locate.found})\r?\n",
        }
        for action, pattern in patterns.items():
            if pattern is not False:
                yield Proof(action=action, pattern=str(pattern), source=_source(self.NAME), sure="site")

    def files(self, settings: Any) -> Sequence[ManagedFile]:
        """None: its files are under `vts.files`, where a site has some."""
        del settings
        return ()

    def facts(self, settings: Any) -> Sequence[Fact]:
        asked = {"version": self.written.version, "reachable": self.written.reachable}
        return tuple(self._fact(name, probe, settings) for name, probe in asked.items() if probe)

    def _fact(self, name: str, probe: Probe, settings: Any) -> Fact:
        values = {f"setting.{key}": value for key, value in self._settings(settings).items()}
        argv = tuple(placeholders.fill(word, values) for word in probe.run)
        query = Query(f"facts/{self.NAME}/{name}", ("env", "LC_ALL=C", *argv), timeout=30)
        return Fact(name=name, query=query, pattern=probe.found, source=_source(self.NAME))

    def lints(self, settings: Any, vaults: Collection[str]) -> Sequence[Problem]:
        del settings, vaults
        return ()

    def check_options(self, options: Mapping[str, Any]) -> Sequence[str]:
        return wrong_options(self.NAME, self.options, options)

    def has_mark(self, options: Mapping[str, Any]) -> bool:
        """Its file cannot be without: archive and locate hold {token}."""
        del options
        return True

    def outlives(self) -> bool:
        """Nobody has said how its runs are ended."""
        return self.written.cancel is None

    def archive(self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
        return self._command("archive", settings, paths, token, options)

    def restore(
        self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
    ) -> Command:
        del when  # the mark picks the copy
        return self._command("restore", settings, paths, token, options)

    def locate(self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
        """Raises Refused without a token: the file says how to ask for one copy, not for any."""
        return self._command("locate", settings, paths, token, options)

    def cancel(self, settings: Any, token: str, output: Output) -> Command | None:
        """None while the run has not said what it is called."""
        ending = self.written.cancel
        match = re.search(ending.job, output.text, re.MULTILINE) if ending else None
        if (
            ending is None
            or match is None
            or not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.:+-]{0,100}", match["job"] or "")
        ):
            return None
        values = placeholders.values_of((), fit_token(token), {}, self._settings(settings)) | {
            "job": match["job"]
        }
        return self._made(ending, values, (), ending.timeout or 120)

    def judge(self, settings: Any, action: str, output: Output, paths: Sequence[str]) -> Judgement:
        return judged(self.tables.under(settings.tables()), action, output, paths)

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        """Whole lines only; one without a path is about the one tape that was asked for."""
        if self.judge(settings, "locate", output, paths).verdict is not Verdict.SUCCESS:
            return ()
        rows = (re.fullmatch(self.written.locate.found, line) for line in whole_lines(output.text))
        copies = (_copy(row.groupdict(), paths, token) for row in rows if row)
        return tuple(copy for copy in copies if copy)

    def _command(
        self, action: str, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]
    ) -> Command:
        run: Run = getattr(self.written, action)
        fit_paths(paths, patterns=self.written.refuse, why=f"{self.TITLE} would take it for something else")
        chosen = self._defaults() | fit_options(self.NAME, self.options, options)
        values = placeholders.values_of(paths, fit_token(token), chosen, self._settings(settings))
        if len(paths) > 1 and any("path" in placeholders.names(text) for text in run.texts()):
            raise Refused(
                f"{self.TITLE} takes one tape at a time", remedy="write {paths} or {list} into its file"
            )
        return self._made(run, values, paths, run.timeout or settings.timeout(action))

    def _made(self, run: Run, values: Mapping[str, str], paths: Sequence[str], timeout: int) -> Command:
        _refuse_what_values_made(run, values)
        wants_list = any("list" in placeholders.names(text) for text in run.texts())
        line = self.written.list_line
        files = {"list": "".join(f"{line.replace('{path}', path)}\n" for path in paths)} if wants_list else {}
        return harmless(
            Command(
                argv=placeholders.words(run.run, values, paths),
                stdin=placeholders.fill(run.stdin, values),
                files=files,
                env=run.env,
                timeout=timeout,
            )
        )

    def _defaults(self) -> dict[str, str]:
        return {n: v.default for n, v in self.written.options.items() if v.default is not None}

    def _settings(self, settings: Any) -> dict[str, str]:
        """Raises Refused for one that does not fit where it is to be filled in."""
        given = {name: getattr(settings, name) for name in self.written.settings}
        known = [_option(name, value) for name, value in self.written.settings.items()]
        return fit_options(f"vts.bma.{self.NAME}", known, given)


def _refuse_what_values_made(run: Run, values: Mapping[str, str]) -> None:
    """A setting or an option may hold what its file could not be checked for: a shell, or a word that deletes. Raises Refused."""
    chosen = {name: value for name, value in values.items() if name.startswith(("option.", "setting."))}
    texts = [placeholders.partly(text, chosen) for text in run.texts()]
    if word := deletes_within(texts):
        raise Refused(
            f"`{printable(word, 60)}` would let the backup application delete the tape",
            remedy="choose another value",
        )
    if word := read_again(texts[:-1], texts[-1]):
        raise Refused(f"a shell would read `{printable(word, 60)}` once more", remedy="choose another value")


def _option(name: str, value: Value) -> Option:
    return Option(
        name=name,
        meaning=value.help or "see its file",
        source=value.source or "the site's own",
        values=value.values,
        pattern=value.pattern,
        required=value.default is None,
    )


def _source(name: str) -> str:
    return f"bmas/{name}.yaml"


def _rows(name: str, action: str, run: Run) -> Tables:
    made = tables(run.exits, run.messages, {}, source=_source(name), actions=(action,))
    if run.exits:
        return made
    done = Code(
        exits=exits("0"),
        actions=(action,),
        verdict=Verdict.SUCCESS,
        reason="exit 0",
        source=_source(name),
        sure="site",
    )
    return Tables(codes=(done,), messages=made.messages)


def _copy(row: Mapping[str, str | None], paths: Sequence[str], token: str) -> Located | None:
    path = row.get("path") or (paths[0] if len(paths) == 1 and "path" not in row else "")
    if path not in paths or ("token" in row and row["token"] != token):
        return None
    size = row.get("size") or ""
    return Located(
        path=path,
        size=int(size.replace(",", "")) if re.fullmatch(NUMBER, size) and len(size) < 24 else None,
        token=token,
        when=row.get("when") or "",
        media=row.get("media") or "",
        expires=row.get("expires") or "",
    )
