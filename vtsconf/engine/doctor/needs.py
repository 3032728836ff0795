"""What a server must be able to do for us, each tried once in a folder of its own that is removed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vtsconf.core.probe import Query

PROBE = "doctor/needs"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One ability. `test` is sh in an empty folder, on one line; without a required one no change can be made.

    `why` says what it is for; of one that is not required, what is done without it.
    """

    name: str
    test: str
    required: bool = True
    why: str


NEEDS = (
    Need(
        name="write and fsync a file",
        test="head -c 4096 /dev/zero | dd of=a bs=65536 conv=fsync && [ $(wc -c <a) -eq 4096 ]",
        why="the new bytes are staged with dd conv=fsync",
    ),
    Need(
        name="read a number of bytes",
        test='[ "$(printf abcdef | head -c 3)" = abc ] && [ "$(printf abcdef | tail -c +4)" = def ]',
        why="file contents travel as so many bytes (head -c, tail -c +N)",
    ),
    Need(
        name="stat -c",
        test=': >b && set -- $(stat -c "%f %U %G %a %Y %Z %s %i %n" -- b) && [ $# -eq 9 ]',
        why="owner, group, mode and times are read with it",
    ),
    Need(
        name="sha256sum",
        test="case $(printf abc | sha256sum) in ba7816bf*f20015ad*) ;; *) exit 1 ;; esac",
        why="a change is refused when a file is not what the plan was made from",
    ),
    Need(
        name="mv -T",
        test="mkdir c && mv -T -- c d && [ -d d ]",
        why="the lock and the armed change appear in one rename",
    ),
    Need(
        name="mv --backup",
        test="echo 1 >e && echo 2 >f && mv -f -T --backup=simple -S .old -- f e && [ $(cat e.old)$(cat e) = 12 ]",
        why="a file is replaced without a moment in which it is missing, and the old one is kept",
    ),
    Need(name="hard links", test=": >g && ln g h && [ g -ef h ]", why="of two who decide, one must win"),
    Need(
        name="append and fsync",
        test=": >i && dd if=/dev/null of=i oflag=append conv=notrunc,fsync",
        why="files that are put together on the server are written with it",
    ),
    Need(
        name="setsid",
        test="[ $(setsid sh -c 'echo yes') = yes ]",
        why="the reverter must outlive the connection",
    ),
    Need(
        name="/proc",
        test="[ -r /proc/sys/kernel/random/boot_id ] && [ -r /proc/$$/stat ]",
        why="whether a process is still alive is read there",
    ),
    Need(
        name="sleep for parts of a second",
        test="sleep 0.01",
        why="the start of the reverter is waited for in small steps",
    ),
    Need(
        name="sed, cp -p, chmod, chown, readlink",
        test="echo 1 >j && cp -p -- j k && chmod -- 0600 k && chown -- $(id -u) k && "
        "[ $(sed -n 's/1/2/p' k) = 2 ] && ln -s k l && [ $(readlink -- l) = k ]",
        why="the old bytes are saved and put back with them",
    ),
    Need(
        name="timeout",
        test="timeout -k 2 5 true",
        required=False,
        why="coreutils before 7.0; commands are bounded by a watch of our own",
    ),
    Need(
        name="systemd-run",
        test="[ -d /run/systemd/system ] && command -v systemd-run",
        required=False,
        why="no systemd; the reverter is detached with setsid, which is enough then",
    ),
)


def query(state_dir: str) -> Query:
    """All of them in one command: in the state directory where it can be written to, else in the temporary one."""
    return Query(PROBE, ("sh", "-c", _script(), "sh", state_dir))


def _script() -> str:
    head = (
        'umask 077; b=$1; [ -d "$b" ] && [ -w "$b" ] || b=${TMPDIR:-/tmp}; d=$b/.vtsconf-doctor.$$; '
        'mkdir "$d" 2>/dev/null || { echo "folder $b"; exit 0; }; '
        "trap 'cd /; rm -rf -- \"$d\"' EXIT; trap 'exit 1' HUP INT TERM; cd \"$d\" || exit 1"
    )
    tests = (
        f"if ({need.test}) >/dev/null 2>&1; then echo {n} yes; else echo {n} no; fi"
        for n, need in enumerate(NEEDS)
    )
    return "; ".join((head, *tests))


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What the server could do; `folder` is set when nothing could be tried, since no folder could be made there."""

    met: tuple[Need, ...] = ()
    unmet: tuple[Need, ...] = ()
    folder: str = ""

    @property
    def missing(self) -> tuple[Need, ...]:
        """The required ones that are unmet."""
        return tuple(need for need in self.unmet if need.required)

    @property
    def untried(self) -> bool:
        """It was ended before it had told of every need, or never began."""
        return len(self.met) + len(self.unmet) < len(NEEDS)


def abilities(text: str) -> Abilities:
    """What the command of `query` printed."""
    answers = dict(_answers(text))
    folder = next((line.partition(" ")[2] for line in text.splitlines() if line.startswith("folder ")), "")
    return Abilities(
        met=tuple(need for n, need in enumerate(NEEDS) if answers.get(n)),
        unmet=tuple(need for n, need in enumerate(NEEDS) if answers.get(n) is False),
        folder=folder,
    )


def _answers(text: str) -> Iterator[tuple[int, bool]]:
    for line in text.splitlines():
        number, _, answer = line.partition(" ")
        if number.isdigit() and answer in ("yes", "no"):
            yield int(number), answer == "yes"
