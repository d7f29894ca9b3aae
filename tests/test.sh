#!/bin/sh
# Installs what is missing, then builds stead and runs all tests.
. "$(dirname "$0")/setup.sh"
cargo nextest --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-nextest --target "$CARGO_BUILD_TARGET"
# Before a change lands, not on every machine: a later compiler has other lints.
if [ -n "${CI:-}" ]; then
    cargo fmt --check
    cargo clippy --quiet --workspace --all-targets -- -D warnings
fi
# With the tests, or what both need would be compiled twice, with other features.
cargo build --workspace --bins --tests
exec cargo nextest run --workspace "$@"
