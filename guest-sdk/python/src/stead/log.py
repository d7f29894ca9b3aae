"""Lines for the operator."""

from wit_world.imports.log import Level, log

__all__ = ["Level", "info", "log", "warn"]


def info(message: str) -> None:
    """Tells the operator something by the way."""
    _lines(Level.INFO, message)


def warn(message: str) -> None:
    """Tells the operator something that may be wrong."""
    _lines(Level.WARN, message)


def _lines(level, message: str) -> None:
    for line in str(message).removesuffix("\n").split("\n"):
        log(level, line)
