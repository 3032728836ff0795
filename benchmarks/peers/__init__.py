"""The tools that people use for the same work today."""

from benchmarks.peers.ansible import AnsibleDefault, AnsibleMitogen, AnsibleTuned
from benchmarks.peers.bundlewrap import BundlewrapDefault, BundlewrapTuned
from benchmarks.peers.pyinfra import Pyinfra
from benchmarks.peers.salt import SaltSsh

PEERS = (Pyinfra, BundlewrapTuned, BundlewrapDefault, AnsibleMitogen, SaltSsh, AnsibleTuned, AnsibleDefault)
