package container

import "fmt"

// Error is what the host answered, in words.
func (self Failure) Error() string {
	if refused, ok := self.value.(error); ok {
		return refused.Error()
	}
	return fmt.Sprint(self.value)
}

// Retry tells whether another attempt may do better: the container is gone.
func (self Failure) Retry() bool { return self.tag == Failure_Lost }

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
