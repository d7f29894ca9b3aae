"""Errors of the host as exceptions."""

import dataclasses
import functools
import re
from typing import Callable, ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import types

from ._jobs import Failure

P = ParamSpec("P")
T = TypeVar("T")


class Error(Exception):
    """The policy cannot go on. Raise one in words; `Denied` and `Invalid` are those that the host raises."""

    @property
    def value(self):
        """The same as the contract has it."""
        return types.Error_Other(str(self))


class Denied(Error):
    """The operator has not granted what was asked for."""

    def __init__(self, denial):
        self.denial = denial
        self.capability, self.asked, self.grant = denial.capability, denial.asked, denial.grant
        super().__init__(f"{self.capability}: {self.asked} is not granted; what would allow it:\n{self.grant}")

    @property
    def value(self):
        return types.Error_Denied(self.denial)


class Invalid(Error):
    """An argument is not what the field's manual allows."""

    def __init__(self, invalid):
        self.invalid = invalid
        self.argument, self.reason = invalid.argument, invalid.reason
        super().__init__(f"{self.argument}: {self.reason}")

    @property
    def value(self):
        return types.Error_Invalid(self.invalid)


# Failures that another attempt can be expected not to meet, and what stead is told of them. What happened to a machine it knows.
_LUCK = {
    ("vm", "lost"): None,
    ("vm", "no-capacity"): "NO_CAPACITY",
    ("container", "lost"): "TEMPORARY",
    ("http", "unreachable"): "TEMPORARY",
}


def exception(value) -> Exception:
    """The exception for an error of the contract."""
    kind, _, name = type(value).__name__.partition("_")
    case = re.sub("(?<!^)(?=[A-Z])", "-", name).lower()
    if kind == "Failure":
        if case == "refused":
            return exception(value.value)
        luck = (type(value).__module__.rpartition(".")[2], case)
        return Failure(value.value, luck in _LUCK, case, _LUCK.get(luck))
    return {"denied": Denied, "invalid": Invalid}.get(case, Error)(value.value)


# Parameters and fields that have 16 bits; all other numbers of the contract have 32.
_SHORT = {"cpus", "first", "last", "listen_port", "permille", "persistent_keepalive", "port"}


def checked(value, name=""):
    """Refuses a number that the contract has no room for here, where the traceback still shows whose it is."""
    if isinstance(value, bool) or isinstance(value, (str, bytes)) or value is None:
        return
    if isinstance(value, int):
        most = 2**16 - 1 if name in _SHORT else 2**32 - 1
        if not 0 <= value <= most:
            raise ValueError(f"{name or 'a number'}: {value} is not a whole number from 0 to {most}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            checked(item)
    elif dataclasses.is_dataclass(value):
        for field, item in vars(value).items():
            checked(item, field)


def raising(call: Callable[P, T]) -> Callable[P, T]:
    """The same function, with its numbers checked and the errors of the host as exceptions."""

    code = call.__code__
    names = code.co_varnames[:code.co_argcount]

    @functools.wraps(call)
    def raises(*arguments: P.args, **named: P.kwargs) -> T:
        for name, value in [*zip(names, arguments), *named.items()]:
            checked(value, name)
        try:
            return call(*arguments, **named)
        except Err as error:
            raised = exception(error.value)
        # Not as the context of the generated exception, which says nothing more.
        raise raised

    return raises
