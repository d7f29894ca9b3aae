"""What the policy may know of the host before it declares anything. Every answer is recorded."""

from wit_world.imports.facts import NetworkInterface, OsRelease, architecture, host_name, interfaces, os

__all__ = ["NetworkInterface", "OsRelease", "architecture", "host_name", "interfaces", "os"]
