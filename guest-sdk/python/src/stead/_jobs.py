"""Why a job ended without a result."""


class Failure(Exception):
    """The job cannot go on. `retry` tells whether another attempt can be expected to do better, `case` is the name that the
    contract has for a failure of the host: `lost`, `no-capacity`, `too-large`, `unreachable`, else `other`.
    """

    def __init__(self, message: str, retry: bool = False, case: str = "other", cause: str | None = None):
        super().__init__(message)
        self.retry = retry
        self.case = case
        # The name of a `retry.Cause`; not the value, which only worlds with `retry` have.
        self.cause = cause
