"""Debian packages, by apt(8), and the repositories that they come from."""

from wit_world.imports import package as _host

from ._errors import raising
from ._records import optional

Options = optional(_host.Options)
Repository = optional(_host.Repository)
add_repository = raising(_host.add_repository)
remove = raising(_host.remove)
_install = raising(_host.install)


def install(name: str, options: _host.Options | None = None) -> None:
    """The package is installed."""
    _install(name, options or Options())
