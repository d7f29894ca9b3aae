module stead/guest

go 1.24
