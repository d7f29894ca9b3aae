"""Records of the contract with defaults: what is left out is left to the host."""

import dataclasses
import enum
import typing


def optional(record: type, **given):
    """Lets fields of a generated record be left out: absent values, empty lists and flags, `False`, and those given."""
    hints = typing.get_type_hints(record)
    names = [field.name for field in dataclasses.fields(record)]
    makers = {name: (lambda value=given[name]: value) if name in given else _empty(hints[name]) for name in names}
    plain = record.__init__

    def init(self, *arguments, **named):
        left = names[len(arguments):]
        plain(self, *arguments, **{name: makers[name]() for name in left if name not in named and makers[name]}, **named)

    record.__init__ = init
    return record


def _empty(hint):
    origin = typing.get_origin(hint)
    if origin is typing.Union and type(None) in typing.get_args(hint):
        return lambda: None
    if origin is list:
        return list
    if hint is bool:
        return bool
    if isinstance(hint, type) and issubclass(hint, enum.Flag):
        return lambda: hint(0)
    return None
