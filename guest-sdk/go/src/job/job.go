// Package job makes a program a job: one piece of work, in machines of its own.
package job

import (
	"encoding/json"
	"errors"
	"fmt"

	"stead/guest/host/retry"
	"stead/guest/host/vm"
	_ "stead/guest/internal/bindings/job"
	"stead/guest/internal/entry/run"
)

// Run makes a function the job; its input and output are whatever encoding/json reads and writes. Call it from an init
// function, and leave main empty.
func Run[I, O any](work func(I) (O, error)) {
	run.Retry = because
	run.Job = func(text string) (string, error) {
		var input I
		if err := json.Unmarshal([]byte(text), &input); err != nil {
			return "", fmt.Errorf("the input does not fit: %w", err)
		}
		output, err := work(input)
		if err != nil {
			return "", err
		}
		document, err := json.Marshal(output)
		return string(document), err
	}
}

// luck is an error that another attempt may not meet.
type luck struct {
	error
	cause retry.Cause
}

func (self luck) Retry() bool { return true }

func (self luck) Cause() retry.Cause { return self.cause }

// Again is an error that another attempt can be expected not to meet, for this cause, with words as by fmt.Errorf. How long stead
// waits before it depends on the cause.
func Again(cause retry.Cause, format string, values ...any) error {
	return luck{fmt.Errorf(format, values...), cause}
}

func because(err error) (retry.Cause, bool) {
	var failure interface {
		error
		Retry() bool
		Cause() retry.Cause
	}
	if !errors.As(err, &failure) || !failure.Retry() {
		return retry.Cause_Temporary, false
	}
	return failure.Cause(), true
}

// On runs a script on a machine to its end; what it printed, when it succeeded.
func On(machine, script string) (string, error) {
	number, err := vm.Start(machine, vm.Command{Script: script})
	if err != nil {
		return "", err
	}
	ended, err := vm.Wait(number)
	if err != nil {
		return "", err
	}
	if !ended.Succeeded() {
		return "", fmt.Errorf("a command on %s ended with %s:\n%s", machine, ended.How(), ended.Output)
	}
	return ended.Output, nil
}
