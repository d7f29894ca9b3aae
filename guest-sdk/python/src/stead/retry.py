"""Why another attempt of a job is worth it."""

from wit_world.imports.retry import Cause, because

__all__ = ["Cause", "because"]
