// Package configure is where the bindings find the policy.
package configure

import (
	"errors"

	"stead/guest/host/types"
	wit "stead/guest/internal/wit/types"
)

// Policy is what the program gave to bootstrap.Policy.
var Policy func() error

// Configure runs the policy for the host.
func Configure() wit.Result[wit.Unit, types.Error] {
	if Policy == nil {
		panic("no policy: call bootstrap.Policy in an init function")
	}
	err := Policy()
	if err == nil {
		return wit.Ok[wit.Unit, types.Error](wit.Unit{})
	}
	var known types.Error
	if !errors.As(err, &known) {
		known = types.MakeErrorOther(err.Error())
	}
	return wit.Err[wit.Unit](known)
}
