"""For every kind, servers and wishes made up at random: what the laws are tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from vtsconf import bma
from vtsconf.core import live
from vtsconf.core.content import Content
from vtsconf.core.diff import changes
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, base_of
from vtsconf.core.probe import FileKind, FileSeen, QuerySeen, Reading
from vtsconf.core.problem import errors
from vtsconf.core.resource import Keys, Resource
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.core.step import PutFile
from vtsconf.core.templates import render
from vtsconf.core.wanted import WantedParameter
from vtsconf.engine.share import template
from vtsconf.resources import desired
from vtsconf.resources.build import resources_of, secrets_of, with_keys
from vtsconf.resources.commands import Command
from vtsconf.resources.files import File
from vtsconf.resources.parameters import Parameters
from vtsconf.resources.services import ServiceStatus
from vtsconf.transport.fake import MemoryServer
from vtsconf.transport.server import Transaction

CASES = Path(__file__).parent.parent / "cases"
KEY = FingerprintKey(Secret(b"the controller's own key"))
HIDDEN = "Tr0ub4dor"  # every secret value holds it, and nothing else does
PATH = "/usr/local/tape/vts.conf"

NAMES = ["ems_enable", "ems_hostnames", "hsm_command", "hsm_password", "cleanup_enable", "meta"]
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co"], exclude_characters="'"), max_size=20
)
BYTES = st.one_of(st.binary(max_size=60), TEXT.map(str.encode), st.just(f"password = {HIDDEN}\n".encode()))
MODES = st.sampled_from(["0644", "0600", "0755"])
REFS = st.builds(SecretRef, st.just("env"), st.sampled_from(["ONE", "TWO", "it's"]))


@dataclass(kw_only=True)
class Flags:
    """A server's commands: `test NAME`, `set NAME`, `clear NAME`; anything else succeeds."""

    up: set[str] = field(default_factory=set)

    def __call__(self, argv: tuple[str, ...]) -> QuerySeen:
        match argv:
            case ("test", name):
                return QuerySeen(exit=0 if name in self.up else 1)
            case ("set", name):
                self.up.add(name)
            case ("clear", name):
                self.up.discard(name)
        return QuerySeen(exit=0)


@dataclass(kw_only=True)
class Scene:
    """Resources without their secrets, and a server to bring to them."""

    resources: tuple[Resource, ...]
    files: dict[str, FileSeen] = field(default_factory=dict)
    up: frozenset[str] = frozenset()

    def keys(self) -> Keys:
        secrets = {ref: Secret(f"{HIDDEN}-{i}".encode()) for i, ref in enumerate(secrets_of(self.resources))}
        return Keys(secrets=secrets, fingerprints=KEY)

    def ready(self) -> tuple[Resource, ...]:
        return with_keys(self.resources, self.keys())

    def server(self) -> MemoryServer:
        return MemoryServer(files=dict(self.files), command=Flags(up=set(self.up)), key=KEY)


def read(server: MemoryServer, resources: tuple[Resource, ...]) -> Reading:
    return server.read([probe for r in resources for probe in r.probes()], "")


def planned(resources: tuple[Resource, ...], reading: Reading, keys: Keys) -> HostPlan:
    """What the engine records for one host."""
    all_changes, steps, problems = [], [], []
    for resource in resources:
        problems += resource.problems(reading)
        if errors(problems):
            return HostPlan(host="vts1", outcome=PlanOutcome.ERROR, problems=tuple(problems))
        found = changes(resource.observe(reading), resource.desired(), keys)
        all_changes += found
        steps += resource.steps(found, reading)
    outcome = PlanOutcome.CHANGES if steps else PlanOutcome.IN_SYNC
    base = tuple(base_of(s.path, s.before) for s in steps if isinstance(s, PutFile))
    return HostPlan(host="vts1", outcome=outcome, changes=tuple(all_changes), steps=tuple(steps), base=base)


def apply(server: MemoryServer, plan: HostPlan, keys: Keys, run: str) -> str:
    """Carry the plan out and keep it; the outcome."""
    contents = [s.after.content for s in plan.steps if isinstance(s, PutFile) and s.after and s.after.content]
    secrets = {**keys.secrets, **live.secrets(contents, server.files)}
    transaction = Transaction(
        run=run,
        host="vts1",
        holder="me@here",
        state_dir="",
        base=plan.base,
        steps=plan.steps,
        restarts=(),
        services=(),
        confirm_within=1,
        probes=(),
    )
    outcome = server.apply(transaction, secrets, lambda _: None)
    server.confirm(run, (), "")
    return f"{outcome.outcome} {outcome.reason}"


def settings_of(name: str) -> list[dict[str, Any]]:
    """The settings in the cases of one BMA."""
    loaded = (
        YAML(typ="safe", pure=True).load(path.read_text()) for path in sorted((CASES / name).glob("*.yaml"))
    )
    return [case["settings"] for case in loaded if "refused" not in case]


def built_in(name: str, variables: Any) -> str:
    text = template(name)
    assert text is not None, name
    return render(text, name, variables)


def seen(data: bytes, mode: str = "0644", owner: str = "root") -> FileSeen:
    return FileSeen(kind=FileKind.FILE, data=data, owner=owner, group="root", mode=mode, size=len(data))


@st.composite
def parameters(draw: Any) -> Scene:
    line = st.one_of(
        st.builds("{}='{}'".format, st.sampled_from([*NAMES, "other", "db_token"]), TEXT),
        st.builds("{}='{}'".format, st.sampled_from(["hsm_password", "db_password"]), st.just(HIDDEN)),
        st.builds('{}="{}" # why'.format, st.sampled_from(NAMES), st.just("x")),
        st.sampled_from(["", "# a comment", "  ", f"# old_password='{HIDDEN}'", "if [ -r x ]; then"]),
    ).map(str.encode)
    end = st.sampled_from([b"\n", b"\r\n", b"\xfc\n"])
    rows = draw(st.lists(st.tuples(line, end), max_size=10))
    data = b"".join(text + (e if b"=" not in text else e.replace(b"\xfc", b"")) for text, e in rows)
    if draw(st.booleans()):
        data = data.removesuffix(b"\n").removesuffix(b"\r")
    ascii_only = st.one_of(st.none(), REFS, TEXT.filter(str.isascii))
    wishes = draw(st.dictionaries(st.sampled_from(NAMES), ascii_only, max_size=5))
    wanted = tuple(
        WantedParameter(name=name, address=f"ems/{name}", text=text, restart=("ems",))
        for name, text in wishes.items()
    )
    mode = draw(MODES)
    return Scene(resources=(Parameters(path=PATH, wanted=wanted),), files={PATH: seen(data, mode, "tape")})


@st.composite
def files(draw: Any, resources: Callable[[], tuple[File, ...]] | None = None) -> Scene:
    parts = st.lists(st.one_of(REFS, TEXT.map(str.encode)), max_size=4)
    own = (
        resources()
        if resources
        else tuple(
            File(
                path=f"/etc/f{i}",
                content=Content(tuple(draw(parts))),
                owner=draw(st.sampled_from(["", "root"])),
                mode=draw(MODES),
            )
            for i in range(draw(st.integers(1, 3)))
        )
    )
    found = {f.path: draw(st.one_of(st.none(), st.builds(seen, BYTES, MODES))) for f in own}
    return Scene(resources=own, files={path: f for path, f in found.items() if f})


@st.composite
def commands(draw: Any) -> Scene:
    names = draw(st.sets(st.sampled_from("abc"), min_size=1))
    own = tuple(
        Command(name=n, check=("test", n), run=("set", n), revert=("clear", n)) for n in sorted(names)
    )
    return Scene(resources=own, up=frozenset(draw(st.sets(st.sampled_from("abc")))))


@st.composite
def services(draw: Any) -> Scene:
    return Scene(
        resources=(ServiceStatus(name="ems", status=("test", "ems")),),
        up=draw(st.sampled_from([frozenset(), frozenset({"ems"})])),
    )


def client(name: str) -> st.SearchStrategy[Scene]:
    """The files of one BMA, as its cases' settings ask for them."""

    def made(settings: dict[str, Any]) -> st.SearchStrategy[Scene]:
        vts = desired.Vts(bma={name: bma.ALL[name].Settings.model_validate(settings)})
        own = resources_of(vts, {}, (), Keys(), built_in)
        return files(resources=lambda: own)

    cases = settings_of(name)
    assert cases, f"tests/cases/{name} has no case: a BMA is held to the laws by its cases"
    return st.sampled_from(cases).flatmap(made)


KINDS: dict[str, st.SearchStrategy[Scene]] = {
    "parameters": parameters(),
    "files": files(),
    "commands": commands(),
    "services": services(),
    **{name: client(name) for name in bma.ALL},
}
