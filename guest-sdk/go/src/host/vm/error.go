package vm

import (
	"fmt"

	"stead/guest/host/retry"
)

// Error is what the host answered, in words.
func (self Failure) Error() string {
	if refused, ok := self.value.(error); ok {
		return refused.Error()
	}
	return fmt.Sprint(self.value)
}

// Retry tells whether another attempt may do better: a machine was lost, or none was to be had.
func (self Failure) Retry() bool { return self.tag == Failure_NoCapacity || self.tag == Failure_Lost }

// Cause is why another attempt may do better.
func (self Failure) Cause() retry.Cause {
	if self.tag == Failure_NoCapacity {
		return retry.Cause_NoCapacity
	}
	return retry.Cause_VmLost
}

// Unwrap is why the host refused the call, if it did.
func (self Failure) Unwrap() error {
	refused, _ := self.value.(error)
	return refused
}

// Succeeded tells whether a command ended with the exit status 0.
func (self Ended) Succeeded() bool {
	return self.Outcome.Tag() == Outcome_Exited && self.Outcome.Exited() == 0
}

// How is how it ended, in words.
func (self Ended) How() string {
	switch self.Outcome.Tag() {
	case Outcome_Exited:
		return fmt.Sprintf("exit status %d", self.Outcome.Exited())
	case Outcome_Killed:
		return "signal " + self.Outcome.Killed()
	case Outcome_OutOfMemory:
		return "no memory left"
	default:
		return "no time left"
	}
}
