"""Foreign exceptions of a connection, each turned into one sentence with its remedy. The only place that does."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from vtsconf.core.errors import Unreachable
from vtsconf.core.printable import printable
from vtsconf.transport.endpoint import Endpoint


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Raise Unreachable for whatever paramiko or the socket throw while `doing` something; put nothing else inside."""
    try:
        yield
    except Unreachable:
        raise
    except Exception as error:  # noqa: BLE001 paramiko hands on whatever its thread met in the server's words
        raise unreachable(error, endpoint, doing) from None


def unreachable(error: BaseException, endpoint: Endpoint, doing: str) -> Unreachable:
    """The sentence for one foreign exception."""
    what, remedy = _explained(error, endpoint)
    return Unreachable(f"{endpoint.name}: {what}" + (f" while {doing}" if doing else ""), remedy=remedy)


def _explained(error: BaseException, endpoint: Endpoint) -> tuple[str, str]:  # noqa: PLR0911 one return a kind
    match error:
        case socket.gaierror():
            return (
                f"the address `{printable(endpoint.address)}` cannot be found",
                "correct ansible_host, or the name service on this side",
            )
        case paramiko.ssh_exception.NoValidConnectionsError():
            return _refused(endpoint)
        case TimeoutError():
            return _silent(endpoint)
        case paramiko.ChannelException():
            return (
                f"the server refused to open a channel ({printable(error.text)})",
                "see MaxSessions, ForceCommand and AllowTcpForwarding in its sshd_config",
            )
        case paramiko.SSHException():
            return _protocol(str(error), endpoint)
        case EOFError():
            return _hung_up()
        case OSError():
            return _system(error, endpoint)
        case _:
            return (
                f"the server's answer makes no sense ({type(error).__name__})",
                f"check that {printable(endpoint.where)} is an SSH server, and update it",
            )


def _refused(endpoint: Endpoint) -> tuple[str, str]:
    return (
        f"{endpoint.address} port {endpoint.port} refuses connections",
        "check ansible_host and ansible_port, and that sshd runs there",
    )


def _silent(endpoint: Endpoint) -> tuple[str, str]:
    return (
        f"{endpoint.address} port {endpoint.port} did not answer within {endpoint.connect_timeout:g} s",
        "check the network and any firewall, or raise ansible_timeout",
    )


def _hung_up() -> tuple[str, str]:
    return (
        "connection lost: the server hung up",
        "see its sshd log (MaxStartups, AllowUsers, hosts.deny are usual causes)",
    )


def _protocol(text: str, endpoint: Endpoint) -> tuple[str, str]:
    folded = text.casefold()
    if "banner" in folded or "protocol version" in folded:
        if "timed out" in folded or text.endswith("banner"):
            return (
                f"{endpoint.address} port {endpoint.port} gave no SSH greeting within {endpoint.connect_timeout:g} s",
                "check that this is the SSH port, and that the server is not overloaded",
            )
        return (
            f"{endpoint.address} port {endpoint.port} is not an SSH server, or it hung up at once",
            "check ansible_port; see MaxStartups and hosts.deny on the server",
        )
    if "timeout" in folded or "timed out" in folded or "no existing session" in folded:
        return _silent(endpoint)
    return f"SSH error: {printable(text)}", "run `vtsconf doctor` against it"


def _system(error: OSError, endpoint: Endpoint) -> tuple[str, str]:
    if error.errno == errno.ECONNREFUSED:
        return _refused(endpoint)
    if error.errno == errno.ETIMEDOUT:
        return _silent(endpoint)
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return (
            f"there is no route to {endpoint.address}",
            "check ansible_host, the network, or set vts_ssh_proxy_jump",
        )
    if error.errno in {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}:
        return _hung_up()
    reason = printable(error.strerror or str(error)) or type(error).__name__
    return f"connection lost: {reason}", "check the network to the server"
