// The packages of `[policy.NAME.config]` are installed.
package main

import (
	"stead/guest/bootstrap"
	"stead/guest/host/config"
	"stead/guest/host/log"
	"stead/guest/host/packages"
)

type settings struct {
	Packages []string `json:"packages"`
}

func configure() error {
	var settings settings
	if err := config.Parse(&settings); err != nil {
		return err
	}
	for _, name := range settings.Packages {
		if err := packages.Install(name, packages.Options{}); err != nil {
			return err
		}
	}
	log.Info("%d packages", len(settings.Packages))
	return nil
}

func init() { bootstrap.Policy(configure) }

func main() {}
