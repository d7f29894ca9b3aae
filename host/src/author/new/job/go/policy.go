// Runs a script in a machine of its own; the result is what it printed.
package main

import (
	"stead/guest/host/log"
	"stead/guest/host/vm"
	"stead/guest/job"
)

type input struct {
	Image  string `json:"image"`
	Script string `json:"script"`
}

type output struct {
	Printed string `json:"printed"`
}

func work(input input) (output, error) {
	if err := vm.Launch("worker", vm.Request{Image: input.Image}); err != nil {
		return output{}, err
	}
	if err := vm.WaitReady([]string{"worker"}); err != nil {
		return output{}, err
	}
	log.Info("the machine is there")
	printed, err := job.On("worker", input.Script)
	return output{printed}, err
}

func init() { job.Run(work) }

func main() {}
