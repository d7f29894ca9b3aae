package http

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

// Retry tells whether another attempt may do better: the server did not answer.
func (self Failure) Retry() bool { return self.tag == Failure_Unreachable }

// Cause is why another attempt may do better.
func (self Failure) Cause() retry.Cause { return retry.Cause_Temporary }

// Unwrap is why the host refused the call, if it did.
func (self Failure) Unwrap() error {
	refused, _ := self.value.(error)
	return refused
}
