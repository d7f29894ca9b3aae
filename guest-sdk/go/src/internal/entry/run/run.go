// Package run is where the bindings find the job.
package run

import (
	contract "stead/guest/host/run"
	wit "stead/guest/internal/wit/types"
)

// Job is what the program gave to job.Run.
var Job func(input string) (string, error)

// Retry tells whether another attempt may do better after this error.
var Retry func(error) bool

// Run runs the job for the host.
func Run(input string) wit.Result[string, contract.Failure] {
	if Job == nil {
		panic("no job: call job.Run in an init function")
	}
	output, err := Job(input)
	if err != nil {
		return wit.Err[string](contract.Failure{Message: err.Error(), Retry: Retry(err)})
	}
	return wit.Ok[string, contract.Failure](output)
}
