// Counts the words of files, in a machine of its own: the same job in every language.
package main

import (
	"fmt"
	"strconv"
	"strings"

	"stead/guest"
	"stead/guest/host/artifact"
	"stead/guest/host/clock"
	"stead/guest/host/log"
	"stead/guest/host/progress"
	"stead/guest/host/vm"
	"stead/guest/job"
)

const machine = "counter"

type input struct {
	Image string   `json:"image"`
	Files []string `json:"files"`
}

type counted struct {
	Name  string `json:"name"`
	Words int    `json:"words"`
}

type output struct {
	Began string    `json:"began"`
	Files []counted `json:"files"`
	Total int       `json:"total"`
}

func init() { job.Run(work) }

func main() {}

func work(in input) (output, error) {
	out := output{Began: clock.Now(), Files: []counted{}}
	if err := vm.Launch(machine, vm.Request{Image: in.Image, Lifetime: guest.Some(uint32(600))}); err != nil {
		return out, err
	}
	if err := vm.WaitReady([]string{machine}); err != nil {
		return out, err
	}
	log.Info("%s is there", machine)
	lines := ""
	for done, name := range in.Files {
		words, err := count(name)
		if err != nil {
			return out, err
		}
		out.Total += words
		out.Files = append(out.Files, counted{name, words})
		lines += fmt.Sprintf("%d %s\n", words, name)
		progress.Report(uint16(1000*(done+1)/len(in.Files)), name)
	}
	if err := artifact.Put("counts", []byte(lines)); err != nil {
		return out, err
	}
	return out, vm.Destroy(machine)
}

func count(name string) (int, error) {
	path := "/srv/" + name
	if err := vm.Upload(machine, vm.MakeContentArtifact(name), path); err != nil {
		return 0, err
	}
	printed, err := job.On(machine, "wc -w < "+path)
	if err != nil {
		return 0, err
	}
	words, err := strconv.Atoi(strings.TrimSpace(printed))
	if err != nil {
		return 0, fmt.Errorf("%s: no number: %s", name, printed)
	}
	return words, nil
}
