#!/bin/sh
# Installs what is missing, then measures stead as it is released, and its peers beside it.
. "$(dirname "$0")/setup.sh"
python3 -c 'import ensurepip' 2>/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
if [ "${1:-queue}" = queue ]; then
    asked=$#
    command -v redis-server >/dev/null ||
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends redis-server >/dev/null
    [ "$asked" = 0 ] || shift
    cargo run --quiet --release --package stead-queue --example queue_bench -- "$@"
    [ "$asked" = 0 ] || exit 0
fi
cargo build --release --package stead
cargo build --release --package stead-tests --example bench_in_process --example bench_ruleset_in_process
exec cargo run --quiet --release --package stead-tests --example bench -- "$@"
