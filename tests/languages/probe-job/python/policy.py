"""Calls everything that a job can with values at the edge, and tells what it was answered: the same in every language."""

import os
import random
import socket
import time

from stead import (
    Denied, Error, Failure, Invalid, artifact, clock, config, container, http, log, progress, retry, vm)

MAX = 2**32 - 1
EDGE = "ü☃🦀"
BYTES = bytes([0, 128, 255, 10])
NAMES = [f"m{n}" for n in range(1000)]
NUMBERS = [*range(1000), MAX]


def run(input):
    mode, about = input["mode"], input["about"]
    match mode:
        case "calls":
            return calls()
        case "fails":
            fails(about)
        case "again":
            raise retry.again(cause(about), EDGE)
        case "because":
            retry.because(cause(about))
            raise Failure("no ☃ today")
        case "crash":
            crash([])
        case "wasi":
            wasi()
        case "negative":
            clock.sleep(-1)
        case "large":
            vm.wait_any([1, MAX + 1])
        case "short":
            vm.launch("m", vm.Request(image="any", cpus=70_000))
        case "permille":
            progress.report(65_536, "")
        case _:
            raise Failure(f"no mode {mode}")
    raise Failure("it did not fail")


def crash(values):
    values[0]


def cause(name):
    return retry.Cause[name.upper().replace("-", "_")]


def fails(what):
    match what:
        case "vm":
            vm.launch("m", vm.Request(image=""))
        case "container":
            container.remove(0)
        case "http":
            http.send(http.Request(url=""))
        case "artifact":
            artifact.put("", b"")
        case "script":
            vm.run(EDGE, "false")
        case _:
            container.run("a", EDGE, ["false"])


def wasi():
    try:
        files = ",".join(os.listdir("/"))
    except OSError:
        files = "none"
    try:
        socket.create_connection(("127.0.0.1", 22), timeout=1)
        network = "open"
    except Exception:
        network = "none"
    moment = time.time()
    still = time.time() == moment and time.monotonic() == time.monotonic()
    log.info(f"files: {files}, environment: {len(os.environ)}, network: {network}, "
             f"time: {'still' if still else 'moves'}, random: {random.SystemRandom().getrandbits(64)}")


def told(call, function, *arguments):
    """Tells what a call was answered."""
    try:
        said = words(function(*arguments))
    except Denied as error:
        said = f"denied: {error.capability}|{error.asked}|{error.grant}"
    except Invalid as error:
        said = f"invalid: {error.argument}|{error.reason}"
    except Failure as error:
        said = f"{error.case}: {error}"
    except Error as error:
        said = f"other: {error}"
    log.log(log.Level.INFO, f"{call}: {said}")
    return said


def every(call, function, *arguments):
    """The same call until it fails in a way that has no name."""
    while not told(call, function, *arguments).startswith("other: "):
        pass


def words(answer):
    match answer:
        case None:
            return "ok"
        case bytes():
            return answer.hex()
        case int():
            return str(answer)
    if hasattr(answer, "status"):
        headers = ",".join(f"{name}={value}" for name, value in answer.headers)
        return f"{answer.status} {headers}: {answer.body.hex()}"
    match answer.outcome:
        case vm.Exited(status) | container.Exited(status):
            outcome = f"exited {status}"
        case vm.Killed(signal):
            outcome = f"killed {signal}"
        case vm.OutOfMemory() | container.OutOfMemory():
            outcome = "out-of-memory"
        case vm.TimedOut() | container.TimedOut():
            outcome = "timed-out"
        case container.Other(other):
            outcome = f"ended {other}"
    return f"{outcome}: {answer.output}"


def calls():
    settings = config.parse(word="", most=0)
    log.log(log.Level.INFO, f"config: {settings['word']} {settings['most']}")
    for level in (log.Level.DEBUG, log.Level.INFO, log.Level.WARN, log.Level.ERROR):
        log.log(level, "a\x1b[2J ☃\0")
    for text in ("", "\n", "a\n☃\u2028\n\nb\n"):
        log.info(text)
    for permille, message in ((0, ""), (1000, EDGE), (2**16 - 1, "a\x1b[2J")):
        progress.report(permille, message)
    log.log(log.Level.INFO, f"clock.now: {clock.now()} {clock.now()}")
    clock.sleep(0)
    clock.sleep(MAX)
    artifacts()
    machines()
    commands()
    containers()
    requests()
    return {**settings, "none": None}


def artifacts():
    told("artifact.put", artifact.put, "", b"")
    told("artifact.put", artifact.put, EDGE, b"\xff" * 100_000)
    every("artifact.put", artifact.put, "a" * 300, BYTES)
    every("artifact.get", artifact.get, EDGE)
    for _ in range(2):
        log.log(log.Level.INFO, f"artifact.names: {','.join(artifact.names())}")


def machines():
    empty = vm.Request(image="")
    full = vm.Request(
        provider="",
        image=EDGE,
        instance_type=EDGE,
        cpus=2**16 - 1,
        memory=MAX,
        disk=0,
        region="r",
        spot=True,
        network=False,
        lifetime=MAX,
    )
    told("vm.launch", vm.launch, "", empty)
    every("vm.launch", vm.launch, EDGE, full)
    told("vm.launch-any", vm.launch_any, "", [])
    every("vm.launch-any", vm.launch_any, EDGE, [empty, full])
    told("vm.wait-ready", vm.wait_ready, [])
    every("vm.wait-ready", vm.wait_ready, NAMES)
    told("vm.upload", vm.upload, "", vm.Bytes(b""), "")
    told("vm.upload", vm.upload, "m", vm.Text(EDGE + "\0"), "/ü")
    told("vm.upload", vm.upload, "m", vm.Artifact(""), EDGE)
    every("vm.upload", vm.upload, EDGE, vm.Bytes(BYTES), EDGE)
    every("vm.download", vm.download, EDGE, "", EDGE)
    every("vm.destroy", vm.destroy, EDGE)


def commands():
    empty = vm.Command("")
    full = vm.Command(EDGE + "\n", [("", ""), ("A", EDGE)], MAX)
    told("vm.start", vm.start, "", empty)
    every("vm.start", vm.start, EDGE, full)
    told("vm.start-with-secrets", vm.start_with_secrets, "", empty, [])
    every("vm.start-with-secrets", vm.start_with_secrets, EDGE, full, ["", EDGE])
    every("vm.wait", vm.wait, MAX)
    told("vm.wait-any", vm.wait_any, [])
    every("vm.wait-any", vm.wait_any, NUMBERS)


def containers():
    full = container.Options(
        command=[],
        entrypoint=["", EDGE],
        environment=[("A", EDGE)],
        secrets=["", EDGE],
        files=[
            container.File("", container.Bytes(BYTES)),
            container.File(EDGE, container.Text(EDGE)),
            container.File("/x", container.Artifact("")),
        ],
        user="",
        working_dir=EDGE,
        memory=MAX,
        millicpus=0,
        timeout=MAX,
    )
    told("container.start", container.start, "", "")
    every("container.start", container.start, EDGE, EDGE, full)
    every("container.wait", container.wait, MAX)
    told("container.wait-any", container.wait_any, [])
    every("container.wait-any", container.wait_any, NUMBERS)
    every("container.download", container.download, MAX, "", EDGE)
    every("container.remove", container.remove, MAX)


def requests():
    for method in http.Method:
        told("http.send", http.send, http.Request(method, ""))
    for body in (http.Bytes(BYTES), http.Text(EDGE + "\0"), http.Artifact("")):
        told("http.send", http.send, http.Request(http.Method.POST, "", body=body))
    full = http.Request(
        http.Method.PATCH,
        EDGE,
        [
            ("", http.Plain("")),
            ("Authorization", http.Secret(http.Hidden("Bearer ", EDGE))),
            (EDGE, http.Secret(http.Hidden("", ""))),
        ],
        http.Text(""),
        MAX,
    )
    every("http.send", http.send, full)
    every("http.download", http.download, full, EDGE)
