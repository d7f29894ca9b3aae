module probe-job

go 1.24

require stead/guest v0.0.0

replace stead/guest => ../../.stead/sdk/go
