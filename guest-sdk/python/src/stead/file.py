"""Files, directories and symbolic links."""

from wit_world.imports import file as _host

from ._errors import raising
from ._records import optional

Attributes = optional(_host.Attributes)
Text, Bytes, Secret = _host.Part_Text, _host.Part_Bytes, _host.Part_Secret
absent = raising(_host.absent)
symlink = raising(_host.symlink)
_directory = raising(_host.directory)
_write = raising(_host.write)


def write(path: str, content, attributes: _host.Attributes | None = None, validate: list[str] = []) -> None:
    """The file has this content: a text, bytes, or a list of parts."""
    if isinstance(content, str):
        content = [Text(content)]
    elif isinstance(content, bytes):
        content = [Bytes(content)]
    _write(path, content, attributes or Attributes(), validate)


def directory(path: str, attributes: _host.Attributes | None = None) -> None:
    """The directory is there."""
    _directory(path, attributes or Attributes())
