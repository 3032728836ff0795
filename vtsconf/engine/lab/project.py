"""The project that a lab comes with: the inventory, which is the lab's, and an example that is the user's."""

from __future__ import annotations

import getpass
import json
from importlib import resources

from vtsconf.core.errors import Usage
from vtsconf.engine.lab.home import USER, Home, public_key, write_whole

HEADER = """\
# Written by `vtsconf lab up`, and again when a port or the number of servers has changed.
# Put what is yours into group_vars/ and host_vars/.
#
# vts_root: on a real server it is "", and a path is a path. The lab has no root, so it cannot give each
# server a file system of its own; there every path begins with the folder that stands for the server's /.
# vts_owner: who owns files there; on a real server, root.
"""
REHEARSAL = """\
# Written by `vtsconf lab up`: rehearse a project on the lab's servers, as far as they have the same names:
#     vtsconf plan -i PROJECT -e @THIS_FILE
"""


def write(home: Home) -> None:
    """Write known_hosts and the way to the servers; for a lab with names of its own the project too."""
    write_known_hosts(home)
    write_whole(home.folder / "rehearse.yaml", _rehearsal(home))
    if not all(name.removeprefix("vts").isdecimal() for name in home.servers()):
        return  # the project is somebody's own
    _write_inventory(home)
    with resources.as_file(resources.files("vtsconf.engine.lab") / "example") as example:
        for source in sorted(p for p in example.rglob("*") if p.is_file()):
            target = home.folder / source.relative_to(example)
            if not target.exists() and not _left_out(target.name, home):
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, source.read_text())


def _left_out(name: str, home: Home) -> bool:
    """Is it the variables of a server that this lab does not have?"""
    stem = name.removesuffix(".yaml")
    return stem.removeprefix("vts").isdecimal() and stem not in home.servers()


def write_known_hosts(home: Home) -> None:
    """One line for each key of each server, at its port."""
    lines = [
        f"[127.0.0.1]:{port} {public_key(key)}\n"
        for name, port in home.servers().items()
        for key in (home.host_keys / name, home.host_keys / f"{name}.rsa")
        if key.exists()
    ]
    write_whole(home.known_hosts, "".join(lines))


def _write_inventory(home: Home) -> None:
    """Never over a file that somebody has edited since we wrote it."""
    path, copy = home.folder / "inventory.yaml", home.own / "inventory.yaml"
    text = _inventory(home)
    if path.exists():
        live = path.read_text()
        if live == text:
            return
        if not copy.exists() or live != copy.read_text():
            raise Usage(
                f"{path} was edited by hand, and ports or servers have changed",
                remedy="move your lines to group_vars/ or host_vars/, delete the file, and run `vtsconf lab up` again",
            )
    write_whole(copy, text)
    write_whole(path, text)


def _inventory(home: Home) -> str:
    """YAML by hand, for the comments; every string is written as JSON, which is YAML too."""
    ports = home.servers()
    first, *others = ports
    lines = [
        HEADER + "all:",
        "  vars:",
        *(f"    {line}" for line in _connection(home)),
        "  children:",
        "    vts:",
        "      children:",
        *_group("test", {first: ports[first]}, home),
        *_group("production", {name: ports[name] for name in others}, home),
    ]
    return "\n".join(lines) + "\n"


def _rehearsal(home: Home) -> str:
    """Variables that lead a whole project here, for `-e @FILE`: they win over its own."""
    lines = [
        REHEARSAL + "\n".join(_connection(home)),
        f"lab_ports: {json.dumps(home.servers())}",
        'ansible_port: "{{ lab_ports[inventory_hostname] }}"',
        f"vts_root: {_quoted(str(home.folder) + '/{{ inventory_hostname }}')}",
    ]
    return "\n".join(lines) + "\n"


def _connection(home: Home) -> list[str]:
    """What is the same for every server."""
    return [
        "ansible_host: 127.0.0.1",
        f"ansible_user: {USER}",
        f"ansible_ssh_private_key_file: {_quoted(home.user_key)}",
        f"vts_ssh_known_hosts: {_quoted(home.known_hosts)}",
        'vts_ssh_config: ""  # your own ~/.ssh/config is none of the lab\'s business',
        "vts_ssh_agent: false",
        f"vts_owner: {_quoted(getpass.getuser())}",
    ]


def _group(name: str, ports: dict[str, int], home: Home) -> list[str]:
    if not ports:
        return []
    lines = [f"        {name}:", "          hosts:"]
    for host, port in ports.items():
        root = _quoted(home.folder / host)
        lines.append(f"            {host}: {{ansible_port: {port}, vts_root: {root}}}")
    return lines


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
