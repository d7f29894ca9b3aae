"""Virtual machines, made for this job and gone with it."""

from wit_world.imports import vm as _host

from ._errors import raising
from ._jobs import Failure
from ._records import optional

Request = optional(_host.Request)
Command = optional(_host.Command)
Bytes, Text, Artifact = _host.Content_Bytes, _host.Content_Text, _host.Content_Artifact
Exited, Killed, OutOfMemory, TimedOut = (
    _host.Outcome_Exited, _host.Outcome_Killed, _host.Outcome_OutOfMemory, _host.Outcome_TimedOut)
destroy = raising(_host.destroy)
download = raising(_host.download)
launch = raising(_host.launch)
launch_any = raising(_host.launch_any)
start = raising(_host.start)
start_with_secrets = raising(_host.start_with_secrets)
upload = raising(_host.upload)
wait = raising(_host.wait)
wait_any = raising(_host.wait_any)
wait_ready = raising(_host.wait_ready)


def run(machine: str, script: str) -> str:
    """Runs a script on a machine to its end; what it printed, when it succeeded."""
    ended = wait(start(machine, Command(script)))
    if ended.outcome != Exited(0):
        raise Failure(f"a command on {machine} ended with {_how(ended.outcome)}:\n{ended.output}")
    return ended.output


def _how(outcome) -> str:
    match outcome:
        case Exited(status):
            return f"exit status {status}"
        case Killed(signal):
            return f"signal {signal}"
        case OutOfMemory():
            return "no memory left"
    return "no time left"
