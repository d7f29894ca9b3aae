module NAME

go 1.24

require stead/guest v0.0.0

// Written by stead.
replace stead/guest => ../../.stead/sdk/go
