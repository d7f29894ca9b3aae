"""One-off containers on this server, for small jobs."""

from wit_world.imports import container as _host

from ._errors import raising
from ._jobs import Failure
from ._records import optional

Options = optional(_host.Options)
File = _host.File
Bytes, Text, Artifact = _host.Content_Bytes, _host.Content_Text, _host.Content_Artifact
Exited, OutOfMemory, TimedOut, Other = (
    _host.Outcome_Exited, _host.Outcome_OutOfMemory, _host.Outcome_TimedOut, _host.Outcome_Other)
download = raising(_host.download)
remove = raising(_host.remove)
wait = raising(_host.wait)
wait_any = raising(_host.wait_any)
_start = raising(_host.start)


def start(project: str, service: str, options: _host.Options | None = None) -> int:
    """Starts a container of a service of the app in `apps/PROJECT`, and answers its number."""
    return _start(project, service, options or Options())


def run(project: str, service: str, command: list[str]) -> str:
    """Runs a command in a container of a service to its end; what it printed, when it succeeded."""
    number = start(project, service, Options(command=command))
    ended = wait(number)
    remove(number)
    if ended.outcome != Exited(0):
        raise Failure(f"{project} {service} ended with {_how(ended.outcome)}:\n{ended.output}")
    return ended.output


def _how(outcome) -> str:
    match outcome:
        case Exited(code):
            return f"exit code {code}"
        case OutOfMemory():
            return "no memory left"
        case TimedOut():
            return "no time left"
    return outcome.value
