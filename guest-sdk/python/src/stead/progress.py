"""How far a job has come, for whoever looks at it."""

from wit_world.imports.progress import report

__all__ = ["report"]
