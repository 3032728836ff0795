"""Where a connection goes and with what: a Target completed from ssh_config and OpenSSH's defaults.

Precedence: inventory, then ssh_config, then default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.secret import Secret
from vtsconf.transport.sshconfig import Options, SshConfig, expand

_JUMP = re.compile(
    r"(?:(?P<user>[^@\s-][^@\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:@\[\]\s-][^:@\[\]\s]*)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_KNOWN_HOSTS = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)


@dataclass(frozen=True, kw_only=True)
class Here:
    """Our side: who runs us, and where the home directory is."""

    user: str
    home: str


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One SSH server to log in to, nothing left open. Times are in seconds."""

    name: str  # the inventory's, or the jump host's own
    address: str
    port: int
    user: str
    password: Secret | None
    key_files: tuple[str, ...]
    keys_asked_for: bool  # named by a person, so a missing one is an error
    key_passphrase: Secret | None
    use_agent: bool
    identities_only: bool
    known_hosts: tuple[str, ...]
    known_as: str  # the name to look for in known_hosts: HostKeyAlias or the address
    host_key: str  # pinned
    jumps: tuple[str, ...]  # outermost first: "user@host:port"
    proxy_command: str
    legacy: bool
    connect_timeout: float
    auth_timeout: float
    keep_alive: float

    @property
    def where(self) -> str:
        """`user@address:port`, for messages."""
        return f"{self.user}@{self.address}" + ("" if self.port == 22 else f":{self.port}")


def endpoint_of(target: Target, config: SshConfig, here: Here) -> Endpoint:
    """Complete a target. Raises Unreachable for values of ssh_config that make no sense."""
    alias = target.address or target.name
    options = config.lookup(alias, target.user, here.user)
    address = expand(options.get("hostname") or alias, {"h": alias, "d": here.home})
    user = target.user or options.get("user") or here.user
    port = target.port or _number(target.name, options, "port", 22)
    tokens = {"h": address, "n": alias, "p": str(port), "r": user, "u": here.user, "d": here.home}
    keys = tuple(expand(k, tokens) for k in target.key_files or options.identity_files)
    known = tuple(expand(f, tokens) for f in target.known_hosts or _known_hosts(options))
    return Endpoint(
        name=target.name,
        address=address,
        port=port,
        user=user,
        password=target.password,
        key_files=keys or tuple(expand(k, tokens) for k in _DEFAULT_KEYS),
        keys_asked_for=bool(target.key_files),
        key_passphrase=target.key_passphrase,
        use_agent=target.use_agent,
        identities_only=_yes(options.get("identitiesonly")),
        known_hosts=known,
        known_as=options.get("hostkeyalias") or address,
        host_key=target.host_key,
        jumps=_jumps(target, options, tokens),
        proxy_command=_proxy_command(target, options, tokens),
        legacy=target.legacy,
        connect_timeout=_connect_timeout(target, options),
        auth_timeout=target.auth_timeout,
        keep_alive=target.keep_alive,
    )


def jump_target(spec: str, behind: Target) -> Target:
    """The Target of one hop of a ProxyJump.

    It takes address, user and port from its own words, then ssh_config; time-outs and the files to
    look in come from the server behind it, its password, keys, pin and legacy opt-in do not.
    """
    match = _JUMP.fullmatch(spec.removeprefix("ssh://"))
    if match is None:
        raise Unreachable(
            f"{behind.name}: the jump host `{spec}` is not `user@host:port`",
            remedy="correct vts_ssh_proxy_jump, or ProxyJump in ssh_config",
        )
    host = match["host"].strip("[]")
    return replace(
        behind,
        name=host,
        address=host,
        user=match["user"],
        port=int(match["port"]) if match["port"] else None,
        password=None,
        host_key="",
        proxy_jump="",
        legacy=False,
        become=None,
    )


def _jumps(target: Target, options: Options, tokens: dict[str, str]) -> tuple[str, ...]:
    spec = target.proxy_jump or options.get("proxyjump") or ""
    if spec.casefold() == "none":
        return ()
    jumps = tuple(expand(one.strip(), tokens) for one in spec.split(",") if one.strip())
    from_config = not target.proxy_jump
    return () if from_config and jumps and _is_itself(jumps[-1], tokens) else jumps


def _is_itself(jump: str, tokens: dict[str, str]) -> bool:
    """`Host *` with `ProxyJump gate` holds for gate too: nobody goes through himself."""
    match = _JUMP.fullmatch(jump)
    return (
        match is not None
        and match["host"].strip("[]").casefold() in {tokens["n"].casefold(), tokens["h"].casefold()}
        and match["port"] in {None, tokens["p"]}
    )


def _proxy_command(target: Target, options: Options, tokens: dict[str, str]) -> str:
    """ProxyCommand counts only where no jump is asked for. Unlike OpenSSH, whichever stands first does not matter."""
    if target.proxy_jump or options.get("proxyjump"):
        return ""
    return expand(options.get("proxycommand") or "", tokens)


def _known_hosts(options: Options) -> tuple[str, ...]:
    users = options.get("userknownhostsfile")
    system = options.get("globalknownhostsfile")
    return (
        *(users.split() if users else _KNOWN_HOSTS[:2]),
        *(system.split() if system else _KNOWN_HOSTS[2:]),
    )


def _connect_timeout(target: Target, options: Options) -> float:
    """ssh_config's ConnectTimeout counts where the inventory left the default."""
    default = Target.__dataclass_fields__["connect_timeout"].default
    if target.connect_timeout != default:
        return target.connect_timeout
    return float(_number(target.name, options, "connecttimeout", int(target.connect_timeout)))


def _number(name: str, options: Options, keyword: str, default: int) -> int:
    text = options.get(keyword)
    if text is None:
        return default
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Unreachable(
            f"{name}: ssh_config says {keyword} `{text}`, which is not a number that makes sense",
            remedy=f"correct {keyword} in ssh_config, or set it in the inventory",
        )
    return int(text)


def _yes(text: str | None) -> bool:
    return text is not None and text.casefold() in {"yes", "true"}
