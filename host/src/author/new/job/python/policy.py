"""Runs a script in a machine of its own; the result is what it printed."""

from stead import log, vm


def run(input):
    vm.launch("worker", vm.Request(image=input["image"]))
    vm.wait_ready(["worker"])
    log.info("the machine is there")
    return {"printed": vm.run("worker", input["script"])}
