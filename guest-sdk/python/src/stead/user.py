"""Users and groups of the host; see passwd(5), group(5), sudoers(5)."""

from wit_world.imports import user as _host

from ._errors import raising
from ._records import optional

Account = optional(_host.Account)
Sudo = _host.Sudo
absent = raising(_host.absent)
present = raising(_host.present)
_group = raising(_host.group)


def group(name: str, gid: int | None = None) -> None:
    """The group is there."""
    _group(name, gid)
