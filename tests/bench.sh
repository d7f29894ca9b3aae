#!/bin/sh
# Installs what is missing, then measures stead as it is released, and its peers beside it.
. "$(dirname "$0")/setup.sh"
python3 -c 'import ensurepip' 2>/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
cargo build --release --package stead
cargo build --release --package stead-tests --example bench_in_process --example bench_ruleset_in_process
exec cargo run --quiet --release --package stead-tests --example bench -- "$@"
