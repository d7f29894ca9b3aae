"""Why another attempt of a job is worth it."""

from wit_world.imports.retry import Cause, because

from ._jobs import Failure

__all__ = ["Cause", "again", "because"]


def again(cause: Cause, message: str) -> Failure:
    """The failure of a job that another attempt can be expected to end better, for this cause: raise it."""
    return Failure(message, retry=True, cause=cause.name)
