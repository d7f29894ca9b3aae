package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"stead/guest/host/container"
	"stead/guest/host/http"
	"stead/guest/host/log"
	"stead/guest/host/types"
	"stead/guest/host/vm"
)

// answer is what a call was answered.
type answer struct {
	value any
	err   error
}

func done(err error) answer { return answer{nil, err} }

func got[T any](value T, err error) answer { return answer{value, err} }

func told(call string, a answer) string {
	words := ""
	if a.err != nil {
		words = why(a.err)
	} else {
		words = what(a.value)
	}
	log.Log(log.Level_Info, call+": "+words)
	return words
}

// every makes the same call until it fails in a way that has no name.
func every(call string, ask func() answer) {
	for !strings.HasPrefix(told(call, ask()), "other: ") {
	}
}

func what(value any) string {
	switch value := value.(type) {
	case uint32:
		return fmt.Sprint(value)
	case []byte:
		return hex.EncodeToString(value)
	case vm.Ended:
		return machineOutcome(value.Outcome) + ": " + value.Output
	case container.Ended:
		return containerOutcome(value.Outcome) + ": " + value.Output
	case http.Response:
		var headers []string
		for _, header := range value.Headers {
			headers = append(headers, header.F0+"="+header.F1)
		}
		return fmt.Sprintf("%d %s: %x", value.Status, strings.Join(headers, ","), value.Body)
	default:
		return "ok"
	}
}

func machineOutcome(outcome vm.Outcome) string {
	switch outcome.Tag() {
	case vm.Outcome_Exited:
		return fmt.Sprintf("exited %d", outcome.Exited())
	case vm.Outcome_Killed:
		return "killed " + outcome.Killed()
	case vm.Outcome_OutOfMemory:
		return "out-of-memory"
	default:
		return "timed-out"
	}
}

func containerOutcome(outcome container.Outcome) string {
	switch outcome.Tag() {
	case container.Outcome_Exited:
		return fmt.Sprintf("exited %d", outcome.Exited())
	case container.Outcome_OutOfMemory:
		return "out-of-memory"
	case container.Outcome_TimedOut:
		return "timed-out"
	default:
		return "ended " + outcome.Other()
	}
}

func why(err error) string {
	var refused types.Error
	if errors.As(err, &refused) {
		return refusal(refused)
	}
	var machine vm.Failure
	var inside container.Failure
	var request http.Failure
	name := "other"
	switch {
	case errors.As(err, &machine):
		name = map[uint8]string{
			vm.Failure_NoCapacity: "no-capacity", vm.Failure_Lost: "lost", vm.Failure_TooLarge: "too-large", vm.Failure_Other: "other",
		}[machine.Tag()]
	case errors.As(err, &inside):
		name = map[uint8]string{
			container.Failure_Lost: "lost", container.Failure_TooLarge: "too-large", container.Failure_Other: "other",
		}[inside.Tag()]
	case errors.As(err, &request):
		name = map[uint8]string{
			http.Failure_Unreachable: "unreachable", http.Failure_TooLarge: "too-large", http.Failure_Other: "other",
		}[request.Tag()]
	}
	return name + ": " + err.Error()
}

func refusal(refused types.Error) string {
	switch refused.Tag() {
	case types.Error_Denied:
		denial := refused.Denied()
		return fmt.Sprintf("denied: %s|%s|%s", denial.Capability, denial.Asked, denial.Grant)
	case types.Error_Invalid:
		return fmt.Sprintf("invalid: %s|%s", refused.Invalid().Argument, refused.Invalid().Reason)
	default:
		return "other: " + refused.Other()
	}
}
