"""Why a job ended without a result."""


class Failure(Exception):
    """The job cannot go on. `retry` tells whether another attempt can be expected to do better."""

    def __init__(self, message: str, retry: bool = False, case: str = "Other"):
        super().__init__(message)
        self.retry = retry
        self.case = case
