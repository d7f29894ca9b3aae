"""The time, for jobs. Both are remembered: a job that is continued elsewhere sees what it saw before."""

from wit_world.imports.clock import now, sleep

__all__ = ["now", "sleep"]
