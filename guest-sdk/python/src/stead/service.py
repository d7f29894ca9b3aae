"""Units of systemd(1)."""

from wit_world.imports import service as _host

from ._errors import raising
from ._records import optional

OnChange = _host.OnChange
State = optional(_host.State, on_change=_host.OnChange.RESTART)
drop_in = raising(_host.drop_in)
unit = raising(_host.unit)
unit_file = raising(_host.unit_file)
