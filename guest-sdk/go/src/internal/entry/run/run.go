// Package run is where the bindings find the job.
package run

import (
	"stead/guest/host/retry"
	contract "stead/guest/host/run"
	wit "stead/guest/internal/wit/types"
)

// Job is what the program gave to job.Run.
var Job func(input string) (string, error)

// Retry tells whether another attempt may do better after this error, and why.
var Retry func(error) (cause retry.Cause, again bool)

// Run runs the job for the host.
func Run(input string) wit.Result[string, contract.Failure] {
	if Job == nil {
		panic("no job: call job.Run in an init function")
	}
	output, err := Job(input)
	if err == nil {
		return wit.Ok[string, contract.Failure](output)
	}
	cause, again := Retry(err)
	// A lost machine may have been taken back by its provider, which stead knows better.
	if again && cause != retry.Cause_VmLost {
		retry.Because(cause)
	}
	return wit.Err[string](contract.Failure{Message: err.Error(), Retry: again})
}
