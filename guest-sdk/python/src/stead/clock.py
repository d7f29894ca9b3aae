"""The time, for jobs. Both are remembered: a job that is continued elsewhere sees what it saw before."""

from wit_world.imports import clock as _host

from ._errors import raising

now = _host.now
sleep = raising(_host.sleep)
