"""How to reach a server: the ansible_* and vts_ssh_* variables of a host, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vtsconf.core.hostvars import Locate, Variables
from vtsconf.core.problem import Level, Problem, suggestion
from vtsconf.core.secret import Secret, SecretRef, Secrets
from vtsconf.core.sshargs import SshArgs, ssh_args


@dataclass(frozen=True, kw_only=True)
class Become:
    """Change to another user on the server. The password travels on stdin, never on a command line."""

    user: str = "root"
    method: str = "sudo"  # or "su"
    password: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """One server's address and everything needed to log in; unset values come from ssh_config.

    Sources: ansible_host, _port, _user, _password, _ssh_private_key_file, _become*, vts_ssh_*.
    Time-outs are in seconds.
    """

    name: str  # the inventory name
    transport: str = "ssh"  # or "local" (ansible_connection: local)
    address: str = ""  # "" = the name
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    key_files: tuple[str, ...] = ()
    key_passphrase: Secret | None = None
    known_hosts: tuple[str, ...] = ()  # () = ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts
    host_key: str = ""  # pinned: "ssh-ed25519 AAAA…"; then known_hosts is not asked
    ssh_config: str | None = None  # None = ~/.ssh/config; "" = none
    proxy_jump: str = ""
    use_agent: bool = True
    legacy: bool = False  # SHA-1 host keys and key exchange, CBC ciphers: only by opt-in
    become: Become | None = None
    connect_timeout: float = 10.0
    auth_timeout: float = 15.0
    idle_timeout: float = 180.0  # nothing heard from a running command; a restart may be silent for 120
    total_timeout: float = 600.0
    keep_alive: float = 15.0


VARIABLES: Mapping[str, str] = {
    "vts_ssh_agent": "whether keys of the SSH agent are offered (default true)",
    "vts_ssh_auth_timeout": "how long the login may take (15s)",
    "vts_ssh_config": 'the ssh_config to read (~/.ssh/config; "" = none)',
    "vts_ssh_connect_timeout": "how long the server may take to answer (10s); also ansible_timeout",
    "vts_ssh_host_key": "the server's public key, pinned: then known_hosts is not asked",
    "vts_ssh_idle_timeout": "how long a running command may be silent (3m)",
    "vts_ssh_keep_alive": "seconds between signs of life on an idle connection (15s; 0 = none)",
    "vts_ssh_key_passphrase": "secret://… of the key file's passphrase",
    "vts_ssh_known_hosts": "known_hosts files, one or a list",
    "vts_ssh_legacy": "allow SHA-1 keys and key exchange and CBC ciphers for this host",
    "vts_ssh_proxy_jump": "jump hosts, outermost first: user@host:port,…",
    "vts_ssh_total_timeout": "how long a command may take in all (10m)",
}
"""Every vts_ssh_* variable, with its help."""

_SECRETS = (
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_become_password",
    "ansible_become_pass",
    "vts_ssh_key_passphrase",
)
_IGNORED = (
    "ansible_ssh_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_executable",
    "ansible_become_exe",
    "ansible_become_flags",
)
_CONNECTIONS = {"ssh": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "smart": "ssh", "local": "local"}
_ADDRESS = re.compile(r"[\w.:%][\w.:%-]*")
_USER = re.compile(r"[\w.@\\$+][\w.@\\$+-]*")


def secret_refs_of(variables: Mapping[str, Any]) -> tuple[SecretRef, ...]:
    """The secrets that a login needs, to be resolved before `target_of`."""
    texts = [variables.get(name) for name in _SECRETS]
    found = [SecretRef.parse(text) for text in texts if isinstance(text, str)]
    return tuple(dict.fromkeys(ref for ref in found if ref is not None))


def target_of(
    name: str, variables: Mapping[str, Any], secrets: Secrets, locate: Locate
) -> tuple[Target, list[Problem]]:
    """Read a host's connection variables; every problem at once. With errors the Target is not to be used."""
    reader = _Connection(name, variables, secrets, locate)
    return reader.target(), reader.problems


@dataclass
class _Connection(Variables):
    """The host's variables, read as a connection."""

    def target(self) -> Target:
        default = Target(name=self.name)
        args = self.common_args()
        self.warn_of_unread()
        return Target(
            name=self.name,
            transport=self.choice("ansible_connection", _CONNECTIONS, "ssh"),
            address=self.matching(_ADDRESS, "an address", "ansible_host", "ansible_ssh_host"),
            port=self.port(),
            user=self.matching(_USER, "a user name", "ansible_user", "ansible_ssh_user") or None,
            password=self.secret("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
            key_files=self.texts("ansible_ssh_private_key_file", "ansible_private_key_file"),
            key_passphrase=self.secret("vts_ssh_key_passphrase"),
            known_hosts=self.texts("vts_ssh_known_hosts")
            or ((args.known_hosts,) if args.known_hosts else ()),
            host_key=self.host_key(),
            ssh_config=args.config if self.absent("vts_ssh_config") else self.text("vts_ssh_config"),
            proxy_jump=",".join(self.texts("vts_ssh_proxy_jump")) or args.proxy_jump,
            use_agent=self.flag("vts_ssh_agent", default=True),
            legacy=self.flag("vts_ssh_legacy", default=False),
            become=self.become(),
            connect_timeout=self.seconds(
                default.connect_timeout, "vts_ssh_connect_timeout", "ansible_timeout", "ansible_ssh_timeout"
            ),
            auth_timeout=self.seconds(default.auth_timeout, "vts_ssh_auth_timeout"),
            idle_timeout=self.seconds(default.idle_timeout, "vts_ssh_idle_timeout"),
            total_timeout=self.seconds(default.total_timeout, "vts_ssh_total_timeout"),
            keep_alive=self.seconds(default.keep_alive, "vts_ssh_keep_alive", least=0),
        )

    def become(self) -> Become | None:
        user = self.matching(_USER, "a user name", "ansible_become_user")
        method = self.choice("ansible_become_method", {"sudo": "sudo", "su": "su"}, "sudo")
        password = self.secret("ansible_become_password", "ansible_become_pass")
        if not self.flag("ansible_become", default=False):
            return None
        return Become(user=user or "root", method=method, password=password)

    def host_key(self) -> str:
        text = self.text("vts_ssh_host_key")
        words = text.split()
        if text and (len(words) < 2 or not re.fullmatch(r"(ssh|ecdsa)-[a-z0-9-]+", words[0])):
            self.complain(
                "vts_ssh_host_key", "is not a public key", remedy="write it as `ssh-ed25519 AAAA…`, one line"
            )
            return ""
        return " ".join(words[:2])

    def port(self) -> int | None:
        name = self.first("ansible_port", "ansible_ssh_port")
        if name is None:
            return None
        value = self.variables[name]
        number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value) else value
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 65536:
            self.complain(name, "is not a port", remedy="write a whole number from 1 to 65535")
            return None
        return number

    def common_args(self) -> SshArgs:
        name = "ansible_ssh_common_args"
        try:
            args = ssh_args(self.text(name))
        except ValueError as error:
            self.complain(name, f"cannot be read: {error}".lower(), remedy="close the quotes")
            return SshArgs()
        if args.trusting:
            self.complain(
                name,
                "asks not to check host keys; they are always checked",
                level=Level.WARNING,
                remedy="take it out; add the key to known_hosts, or set vts_ssh_host_key",
            )
        if args.unread:
            shown = ", ".join(f"`{a}`" for a in args.unread)
            self.complain(
                name,
                f"has words that are not used: {shown}",
                level=Level.WARNING,
                remedy="put them into ssh_config, or use the vts_ssh_* variables",
            )
        return args

    def warn_of_unread(self) -> None:
        for name in self.variables:
            if name.startswith("vts_ssh_") and name not in VARIABLES:
                self.complain(name, "is not a variable that exists", remedy=suggestion(name, VARIABLES))
        for name in _IGNORED:
            if not self.absent(name):
                self.complain(
                    name, "is not used", level=Level.WARNING, remedy="set what it was for in ssh_config"
                )
        if not self.absent("ansible_host_key_checking") and not self.flag(
            "ansible_host_key_checking", default=True
        ):
            self.complain(
                "ansible_host_key_checking",
                "is not used: host keys are always checked",
                level=Level.WARNING,
                remedy="add the key to known_hosts, or set vts_ssh_host_key",
            )
