"""The physical limit: one connection and one exec a server, which reads or writes the same and compares nothing."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from benchmarks import work
from benchmarks.tool import Call, Job, Site, Tool, write

_HERE = Path(__file__).parent / "clients"

READ = " && ".join(
    [
        f"stat -c '%n %F %U %G %a %Y %s' {shlex.join(work.FILES)}",
        f"sha256sum {shlex.join(work.FILES)}",
        f"cat {shlex.join(work.FILES)}",
        shlex.join(work.FACT),
    ]
)
"""The state of six files and the fact."""


def write_script(site: Site, number: int) -> str:
    """Replace the three files by rename, restart the service, read all."""
    lines = ["set -e"]
    for path in work.DIFFERING:
        text = work.rendered(site.templates[path], site.servers[number])
        lines.append(f"cat >{path}.new <<'END-OF-FILE'\n{text}END-OF-FILE\nmv {path}.new {path}")
    return "\n".join([*lines, f"{work.SERVICE} restart", READ, ""])


class _Limit(Tool):
    def write(self, site: Site) -> None:
        for number, server in enumerate(site.servers):
            write(site.folder / f"apply-{server.name}.sh", write_script(site, number))
            write(site.folder / f"again-{server.name}.sh", READ + "\n")
            write(site.folder / f"plan-{server.name}.sh", READ + "\n")
        hosts = [[s.name, s.address, s.port] for s in site.servers]
        spec = {
            "hosts": hosts,
            "key": str(site.key),
            "host_key": site.host_key,
            "known": str(site.known_hosts),
        }
        write(site.folder / "spec.json", json.dumps(spec))


class ParamikoLimit(_Limit):
    """The Python that is measured here: threads, one connection and one exec each."""

    name = "limit: paramiko, one exec"

    def call(self, job: Job, site: Site) -> Call:
        del site
        return Call((sys.executable, _HERE / "paramiko_exec.py", "spec.json", job))


class OpenSshLimit(_Limit):
    """The OpenSSH client with everything switched off that is not needed."""

    name = "limit: OpenSSH client, tuned"

    def call(self, job: Job, site: Site) -> Call:
        del site
        return Call(("sh", _HERE / "openssh_exec.sh", "spec.txt", job))

    def write(self, site: Site) -> None:
        super().write(site)
        write(site.folder / "spec.txt", "".join(f"{s.name} {s.address} {s.port}\n" for s in site.servers))
        options = (
            f"IdentityFile {site.key}\nIdentitiesOnly yes\nUserKnownHostsFile {site.known_hosts}\n"
            "GlobalKnownHostsFile none\nStrictHostKeyChecking yes\nUpdateHostKeys no\nCheckHostIP no\n"
            "User root\nAddressFamily inet\nBatchMode yes\nPreferredAuthentications publickey\n"
            "GSSAPIAuthentication no\nKexAlgorithms curve25519-sha256\nCiphers aes128-gcm@openssh.com\n"
            "Compression no\nLogLevel ERROR\n"
        )
        write(site.folder / "ssh_config", options)
