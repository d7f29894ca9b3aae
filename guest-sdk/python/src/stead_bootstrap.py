"""Where the bindings find a policy that declares a host: the function `configure` of the author's module `policy`."""

import policy
from componentize_py_types import Err

from stead import Error


class Configure:
    def configure(self) -> None:
        try:
            policy.configure()
        except Error as error:
            raised = Err(error.value)
        else:
            return
        raise raised
