// Package bootstrap makes a program a policy that declares a host.
package bootstrap

import (
	_ "stead/guest/internal/bindings/bootstrap"
	"stead/guest/internal/entry/configure"
)

// Policy makes a function the policy. Call it from an init function, and leave main empty.
//
// What the host answered keeps its shape when it is returned, wrapped or not, so that the operator is shown the grant
// that is missing.
func Policy(function func() error) { configure.Policy = function }
