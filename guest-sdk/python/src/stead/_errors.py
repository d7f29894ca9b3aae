"""Errors of the host as exceptions."""

import dataclasses
import functools
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


def exception(value) -> Exception:
    """The exception for an error of the contract. Names of its cases are the same in every interface."""
    case = type(value).__name__
    if case == "Error_Denied":
        return Denied(value.value)
    if case == "Error_Invalid":
        return Invalid(value.value)
    if case == "Error_Other":
        return Error(value.value)
    if case == "Failure_Refused":
        return exception(value.value)
    return Failure(value.value, retry=case in ("Failure_NoCapacity", "Failure_Lost", "Failure_Unreachable"), case=case.removeprefix("Failure_"))


def checked(value):
    """Refuses a number that the contract has no room for here, where the traceback still shows whose it is."""
    if isinstance(value, bool) or isinstance(value, (str, bytes)) or value is None:
        return
    if isinstance(value, int):
        if not 0 <= value < 2**32:
            raise ValueError(f"{value} is not a whole number from 0 to {2**32 - 1}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            checked(item)
    elif dataclasses.is_dataclass(value):
        for item in vars(value).values():
            checked(item)


def raising(call: Callable[P, T]) -> Callable[P, T]:
    """The same function, with its numbers checked and the errors of the host as exceptions."""

    @functools.wraps(call)
    def raises(*arguments: P.args, **named: P.kwargs) -> T:
        checked([*arguments, *named.values()])
        try:
            return call(*arguments, **named)
        except Err as error:
            raised = exception(error.value)
        # Not as the context of the generated exception, which says nothing more.
        raise raised

    return raises
