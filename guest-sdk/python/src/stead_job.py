"""Where the bindings find a job: the function `run` of the author's module `policy`."""

import json

import policy
from componentize_py_types import Err
from wit_world.exports import run as contract

from stead import Error, Failure


class Run:
    def run(self, input: str) -> str:
        try:
            return json.dumps(policy.run(json.loads(input)), ensure_ascii=False, separators=(",", ":"))
        except (Error, Failure) as error:
            message, retry = str(error), getattr(error, "retry", False)
        raise Err(contract.Failure(message, retry))
