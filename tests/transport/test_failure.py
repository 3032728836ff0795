from __future__ import annotations

import errno
import socket

import paramiko
import pytest

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.endpoint import Here, endpoint_of
from vtsconf.transport.failure import translated, unreachable
from vtsconf.transport.sshconfig import SshConfig

ENDPOINT = endpoint_of(
    Target(name="vts1", address="10.0.0.1"), SshConfig(), Here(user="operator", home="/home/operator")
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the address `10.0.0.1` cannot be found"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "10.0.0.1 port 22 refuses connections"),
        (TimeoutError("timed out"), "10.0.0.1 port 22 did not answer within 10 s"),
        (OSError(errno.ETIMEDOUT, "timed out"), "10.0.0.1 port 22 did not answer within 10 s"),
        (OSError(errno.EHOSTUNREACH, "No route"), "there is no route to 10.0.0.1"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "connection lost: the server hung up"),
        (OSError(errno.EMFILE, "Too many open files"), "connection lost: Too many open files"),
        (EOFError(), "connection lost: the server hung up"),
        (
            paramiko.ChannelException(1, "Administratively prohibited"),
            "the server refused to open a channel (Administratively prohibited)",
        ),
        (
            paramiko.SSHException("Error reading SSH protocol banner"),
            "10.0.0.1 port 22 gave no SSH greeting within 10 s",
        ),
        (
            paramiko.SSHException('Indecipherable protocol version "\x1b[2Jhi"'),
            "10.0.0.1 port 22 is not an SSH server, or it hung up at once",
        ),
        (paramiko.SSHException("Odd \x1b]0;x\x07 packet"), "SSH error: Odd \\x1b]0;x\\x07 packet"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), "the server's answer makes no sense (UnicodeDecodeError)"),
    ],
)  # fmt: skip
def test_each_in_one_sentence_with_a_remedy(error, sentence):
    told = unreachable(error, ENDPOINT, "")

    assert str(told) == f"vts1: {sentence}"
    assert told.remedy


def test_what_was_being_done_is_said_and_ours_stays_ours():
    with (
        pytest.raises(Unreachable, match="hung up while starting a command"),
        translated(ENDPOINT, "starting a command"),
    ):
        raise EOFError
    mine = Unreachable("mine")
    with pytest.raises(Unreachable) as caught, translated(ENDPOINT, "x"):
        raise mine

    assert caught.value is mine
