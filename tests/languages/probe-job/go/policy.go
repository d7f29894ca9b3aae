// Calls everything that a job can with values at the edge, and tells what it was answered: the same in every language.
package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"time"

	"stead/guest"
	"stead/guest/host/artifact"
	"stead/guest/host/clock"
	"stead/guest/host/config"
	"stead/guest/host/container"
	"stead/guest/host/http"
	"stead/guest/host/log"
	"stead/guest/host/progress"
	"stead/guest/host/retry"
	"stead/guest/host/vm"
	"stead/guest/job"
)

const edge = "ü☃🦀"

var (
	notText = []byte{0, 128, 255, 10}
	most    = guest.Some(uint32(math.MaxUint32))
)

type input struct {
	Mode  string `json:"mode"`
	About string `json:"about"`
}

type output struct {
	Word string  `json:"word"`
	Most uint32  `json:"most"`
	None *uint32 `json:"none"`
}

func init() { job.Run(work) }

func main() {}

func work(in input) (output, error) {
	switch in.Mode {
	case "calls":
		return calls()
	case "fails":
		return output{}, fails(in.About)
	case "again":
		return output{}, fmt.Errorf("%w", job.Again(cause(in.About), edge))
	case "because":
		retry.Because(cause(in.About))
		return output{}, errors.New("no ☃ today")
	case "crash":
		crash(nil)
	case "wasi":
		wasi()
	}
	return output{}, errors.New("it did not fail")
}

func crash(values []uint32) { values[0]++ }

func cause(name string) retry.Cause {
	return map[string]retry.Cause{
		"temporary":   retry.Cause_Temporary,
		"vm-lost":     retry.Cause_VmLost,
		"no-capacity": retry.Cause_NoCapacity,
		"preempted":   retry.Cause_Preempted,
	}[name]
}

func fails(what string) (err error) {
	switch what {
	case "vm":
		return vm.Launch("m", vm.Request{})
	case "container":
		return container.Remove(0)
	case "http":
		_, err = http.Send(http.Request{})
	case "artifact":
		return artifact.Put("", nil)
	case "script":
		_, err = job.On(edge, "false")
	default:
		_, err = container.Run("a", edge, "false")
	}
	return err
}

func wasi() {
	files := "none"
	if entries, err := os.ReadDir("/"); err == nil {
		files = fmt.Sprint(len(entries))
	}
	network := "none"
	if _, err := net.DialTimeout("tcp", "127.0.0.1:22", time.Second); err == nil {
		network = "open"
	}
	moment, moved := time.Now(), "still"
	if !time.Now().Equal(moment) {
		moved = "moves"
	}
	var random [8]byte
	rand.Read(random[:])
	log.Info("files: %s, environment: %d, network: %s, time: %s, random: %x", files, len(os.Environ()), network, moved, random)
}

func calls() (output, error) {
	var settings struct {
		Word string `json:"word"`
		Most uint32 `json:"most"`
	}
	if err := config.Parse(&settings); err != nil {
		return output{}, err
	}
	log.Log(log.Level_Info, fmt.Sprintf("config: %s %d", settings.Word, settings.Most))
	for _, level := range []log.Level{log.Level_Debug, log.Level_Info, log.Level_Warn, log.Level_Error} {
		log.Log(level, "a\x1b[2J ☃\x00")
	}
	for _, text := range []string{"", "\n", "a\n☃\u2028\n\nb\n"} {
		log.Info("%s", text)
	}
	progress.Report(0, "")
	progress.Report(1000, edge)
	progress.Report(math.MaxUint16, "a\x1b[2J")
	log.Log(log.Level_Info, fmt.Sprintf("clock.now: %s %s", clock.Now(), clock.Now()))
	clock.Sleep(0)
	clock.Sleep(math.MaxUint32)
	artifacts()
	machines()
	commands()
	containers()
	requests()
	return output{Word: settings.Word, Most: settings.Most}, nil
}

func artifacts() {
	told("artifact.put", done(artifact.Put("", nil)))
	told("artifact.put", done(artifact.Put(edge, bytes.Repeat([]byte{255}, 100_000))))
	every("artifact.put", func() answer { return done(artifact.Put(strings.Repeat("a", 300), notText)) })
	every("artifact.get", func() answer { return got(artifact.Get(edge)) })
	for range 2 {
		log.Log(log.Level_Info, "artifact.names: "+strings.Join(artifact.Names(), ","))
	}
}

func names() (all []string) {
	for n := range 1000 {
		all = append(all, fmt.Sprintf("m%d", n))
	}
	return all
}

func numbers() (all []uint32) {
	for n := range 1000 {
		all = append(all, uint32(n))
	}
	return append(all, math.MaxUint32)
}

func machines() {
	full := vm.Request{
		Provider:     guest.Some(""),
		Image:        edge,
		InstanceType: guest.Some(edge),
		Cpus:         guest.Some(uint16(math.MaxUint16)),
		Memory:       most,
		Disk:         guest.Some(uint32(0)),
		Region:       guest.Some("r"),
		Spot:         guest.Some(true),
		Network:      guest.Some(false),
		Lifetime:     most,
	}
	told("vm.launch", done(vm.Launch("", vm.Request{})))
	every("vm.launch", func() answer { return done(vm.Launch(edge, full)) })
	told("vm.launch-any", got(vm.LaunchAny("", nil)))
	every("vm.launch-any", func() answer { return got(vm.LaunchAny(edge, []vm.Request{{}, full})) })
	told("vm.wait-ready", done(vm.WaitReady(nil)))
	every("vm.wait-ready", func() answer { return done(vm.WaitReady(names())) })
	told("vm.upload", done(vm.Upload("", vm.MakeContentBytes(nil), "")))
	told("vm.upload", done(vm.Upload("m", vm.MakeContentText(edge+"\x00"), "/ü")))
	told("vm.upload", done(vm.Upload("m", vm.MakeContentArtifact(""), edge)))
	every("vm.upload", func() answer { return done(vm.Upload(edge, vm.MakeContentBytes(notText), edge)) })
	every("vm.download", func() answer { return done(vm.Download(edge, "", edge)) })
	every("vm.destroy", func() answer { return done(vm.Destroy(edge)) })
}

func commands() {
	full := vm.Command{
		Script:      edge + "\n",
		Environment: []guest.Pair[string, string]{{}, {F0: "A", F1: edge}},
		Timeout:     most,
	}
	told("vm.start", got(vm.Start("", vm.Command{})))
	every("vm.start", func() answer { return got(vm.Start(edge, full)) })
	told("vm.start-with-secrets", got(vm.StartWithSecrets("", vm.Command{}, nil)))
	every("vm.start-with-secrets", func() answer { return got(vm.StartWithSecrets(edge, full, []string{"", edge})) })
	every("vm.wait", func() answer { return got(vm.Wait(math.MaxUint32)) })
	told("vm.wait-any", got(vm.WaitAny(nil)))
	every("vm.wait-any", func() answer { return got(vm.WaitAny(numbers())) })
}

func containers() {
	full := container.Options{
		Command:     guest.Some([]string{}),
		Entrypoint:  guest.Some([]string{"", edge}),
		Environment: []guest.Pair[string, string]{{F0: "A", F1: edge}},
		Secrets:     []string{"", edge},
		Files: []container.File{
			{Path: "", Content: container.MakeContentBytes(notText)},
			{Path: edge, Content: container.MakeContentText(edge)},
			{Path: "/x", Content: container.MakeContentArtifact("")},
		},
		User:       guest.Some(""),
		WorkingDir: guest.Some(edge),
		Memory:     most,
		Millicpus:  guest.Some(uint32(0)),
		Timeout:    most,
	}
	told("container.start", got(container.Start("", "", container.Options{})))
	every("container.start", func() answer { return got(container.Start(edge, edge, full)) })
	every("container.wait", func() answer { return got(container.Wait(math.MaxUint32)) })
	told("container.wait-any", got(container.WaitAny(nil)))
	every("container.wait-any", func() answer { return got(container.WaitAny(numbers())) })
	every("container.download", func() answer { return done(container.Download(math.MaxUint32, "", edge)) })
	every("container.remove", func() answer { return done(container.Remove(math.MaxUint32)) })
}

func requests() {
	for method := http.Method_Get; method <= http.Method_Delete; method++ {
		told("http.send", got(http.Send(http.Request{Method: method})))
	}
	for _, body := range []http.Content{
		http.MakeContentBytes(notText), http.MakeContentText(edge + "\x00"), http.MakeContentArtifact(""),
	} {
		told("http.send", got(http.Send(http.Request{Method: http.Method_Post, Body: guest.Some(body)})))
	}
	full := http.Request{
		Method: http.Method_Patch,
		Url:    edge,
		Headers: []guest.Pair[string, http.Value]{
			{F0: "", F1: http.MakeValueText("")},
			{F0: "Authorization", F1: http.MakeValueSecret(http.Hidden{Prefix: "Bearer ", Name: edge})},
			{F0: edge, F1: http.MakeValueSecret(http.Hidden{})},
		},
		Body:    guest.Some(http.MakeContentText("")),
		Timeout: most,
	}
	every("http.send", func() answer { return got(http.Send(full)) })
	every("http.download", func() answer { return got(http.Download(full, edge)) })
}
