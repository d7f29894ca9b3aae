"""How far a job has come, for whoever looks at it."""

from wit_world.imports import progress as _host

from ._errors import raising

report = raising(_host.report)
