"""Kernel parameters; see sysctl(8) and sysctl.d(5)."""

from wit_world.imports import sysctl as _host

from ._errors import raising

set = raising(_host.set)
