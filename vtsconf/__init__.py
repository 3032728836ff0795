"""Declarative configuration and safe tape migration for HPE NonStop Virtual TapeServers."""

__version__ = "0.1.0"
