"""Host keys of a real OpenSSH: nothing unknown is accepted, and the remedies work."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.real.openssh import OpenSsh
from tests.real.reaching import connector, execute, refused
from tests.real.sshkeys import keys
from vtsconf.core.connection import Target
from vtsconf.core.secret import Secret


class TestHostKeys:
    def unpinned(self, server: OpenSsh, file: Path, **changes: object) -> Target:
        return server.target(host_key="", known_hosts=(str(file),), **changes)

    def test_known_in_every_form(self, server, tmp_path):
        file = tmp_path / "known"
        for names in (("host_ed25519",), ("host_rsa",), ("host_ed25519", "host_rsa")):
            file.write_text(server.known_hosts(*names))
            execute(self.unpinned(server, file), "true", tmp_path=tmp_path)
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
            execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_the_key_that_is_known_is_the_one_asked_for(self, server, tmp_path):
        file = tmp_path / "known"
        file.write_text(server.known_hosts("host_rsa"))
        session = connector(tmp_path).connect(self.unpinned(server, file))
        session.close()

        assert session.facts.host_key == "rsa-sha2-512"

    def test_an_unknown_key_is_refused_and_the_remedy_works(self, server, tmp_path):
        file = tmp_path / "known"
        error = refused(self.unpinned(server, file), tmp_path)
        seen = keys().fingerprint("host_ed25519")
        (scan,) = re.findall("`([^`]*)`", error.remedy)

        assert str(error) == f"vts1: the host key is not known: the server shows ssh-ed25519 {seen}"
        assert scan == f"ssh-keyscan -p {server.port} -t ed25519 127.0.0.1 >> {file}"
        subprocess.run(["/bin/sh", "-c", scan], check=True, capture_output=True)
        execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_a_changed_key_is_refused_and_the_remedy_works(self, server, tmp_path):
        file = tmp_path / "known"
        file.write_text(f"[127.0.0.1]:{server.port} {keys().public('other_ed25519')}\n")
        error = refused(self.unpinned(server, file), tmp_path)
        mend = " && ".join(re.findall("`([^`]*)`", error.remedy))

        assert keys().fingerprint("host_ed25519") in str(error)
        assert f"expected is ssh-ed25519 {keys().fingerprint('other_ed25519')} ({file}:1)" in str(error)
        subprocess.run(["/bin/sh", "-c", mend], check=True, capture_output=True)
        execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_a_wrong_pin_a_revoked_key_and_an_authority(self, server, tmp_path):
        file = tmp_path / "known"
        pinned = refused(server.target(host_key=keys().public("other_ed25519")), tmp_path)
        file.write_text("@revoked * " + keys().public("host_ed25519") + "\n" + server.known_hosts())
        revoked = refused(self.unpinned(server, file), tmp_path)
        file.write_text("@cert-authority * " + keys().public("other_ed25519") + "\n")
        authority = refused(self.unpinned(server, file), tmp_path)

        assert "(pinned)" in str(pinned)
        assert keys().public("host_ed25519") in pinned.remedy
        assert "revoked" in str(revoked)
        assert "not supported" in authority.remedy

    def test_nothing_is_sent_to_a_server_with_the_wrong_key(self, server, tmp_path):
        refused(server.target(host_key=keys().public("other_ed25519"), password=Secret(b"pw")), tmp_path)

        assert "Accepted" not in server.log.read_text()
        assert server.execs() == 0
