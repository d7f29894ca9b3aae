"""Where the bindings find a job: the function `run` of the author's module `policy`."""

import json

import policy
from componentize_py_types import Err
from wit_world.exports import run as contract

from stead import Error, Failure

try:
    from stead import retry as _retry
except ImportError:
    # The author's world has none of it: the cause is then what last went wrong with a machine.
    _retry = None


class Run:
    def run(self, input: str) -> str:
        try:
            return json.dumps(policy.run(json.loads(input)), ensure_ascii=False, separators=(",", ":"))
        except (Error, Failure) as error:
            message, retry, cause = str(error), getattr(error, "retry", False), getattr(error, "cause", None)
        # A lost machine may have been taken back by its provider, which stead knows better.
        if _retry and cause in ("TEMPORARY", "NO_CAPACITY", "PREEMPTED"):
            _retry.because(_retry.Cause[cause])
        raise Err(contract.Failure(message, retry))
