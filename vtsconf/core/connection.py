"""How to reach a server: the ansible_* variables of a host, read once."""

from __future__ import annotations

from dataclasses import dataclass

from vtsconf.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Become:
    """Change to another user on the server. The password travels on stdin, never on a command line."""

    user: str = "root"
    method: str = "sudo"  # or "su"
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
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
    idle_timeout: float = 60.0  # nothing heard from a running command for so long
    total_timeout: float = 600.0
    keep_alive: float = 15.0
