"""Files that outlive the machines: what was handed to the job, and what it leaves."""

from wit_world.imports import artifact as _host

from ._errors import raising

get = raising(_host.get)
names = _host.names
put = raising(_host.put)
