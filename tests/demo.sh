#!/bin/sh
# Installs what is missing, then boots a disposable virtual machine and bootstraps it with stead.
. "$(dirname "$0")/setup.sh"
cargo build --package stead
exec cargo run --quiet --package stead-tests --example demo -- "$@"
