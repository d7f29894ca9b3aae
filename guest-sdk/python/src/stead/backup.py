"""Backups by restic(1), as `[backup.NAME]` of `stead.toml` describes them."""

from wit_world.imports import backup as _host

from ._errors import raising

schedule = raising(_host.schedule)
