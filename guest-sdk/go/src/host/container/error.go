package container

import (
	"fmt"

	"stead/guest/host/retry"
	wit "stead/guest/internal/wit/types"
)

// Error is what the host answered, in words.
func (self Failure) Error() string {
	if refused, ok := self.value.(error); ok {
		return refused.Error()
	}
	return fmt.Sprint(self.value)
}

// Retry tells whether another attempt may do better: the container is gone.
func (self Failure) Retry() bool { return self.tag == Failure_Lost }

// Cause is why another attempt may do better.
func (self Failure) Cause() retry.Cause { return retry.Cause_Temporary }

// Unwrap is why the host refused the call, if it did.
func (self Failure) Unwrap() error {
	refused, _ := self.value.(error)
	return refused
}

// Succeeded tells whether a container ended with the exit code 0.
func (self Ended) Succeeded() bool {
	return self.Outcome.Tag() == Outcome_Exited && self.Outcome.Exited() == 0
}

// How is how it ended, in words.
func (self Ended) How() string {
	switch self.Outcome.Tag() {
	case Outcome_Exited:
		return fmt.Sprintf("exit code %d", self.Outcome.Exited())
	case Outcome_OutOfMemory:
		return "no memory left"
	case Outcome_TimedOut:
		return "no time left"
	default:
		return self.Outcome.Other()
	}
}

// Run runs a command in a container of a service to its end; what it printed, when it succeeded.
func Run(project, service string, command ...string) (string, error) {
	number, err := Start(project, service, Options{Command: wit.Some(command)})
	if err != nil {
		return "", err
	}
	ended, err := Wait(number)
	if err != nil {
		return "", err
	}
	if err := Remove(number); err != nil {
		return "", err
	}
	if !ended.Succeeded() {
		return "", fmt.Errorf("%s %s ended with %s:\n%s", project, service, ended.How(), ended.Output)
	}
	return ended.Output, nil
}
