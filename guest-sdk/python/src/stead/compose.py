"""Docker Compose projects, from the compose files in the repo."""

from wit_world.imports import compose as _host

from ._errors import raising
from ._records import optional

Options = optional(_host.Options)
_up = raising(_host.up)


def up(name: str, options: _host.Options | None = None) -> None:
    """The project is up."""
    _up(name, options or Options())
