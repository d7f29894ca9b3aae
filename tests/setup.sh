# Installs what building and testing stead needs, on Debian or Ubuntu. Sourced by demo.sh and test.sh.
# This is the one place where a shell must do: before it there is no cargo to run anything else.
set -eu
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages="gcc binutils libc6-dev musl-tools git ca-certificates openssh-client iproute2 util-linux
    qemu-system-x86 qemu-utils mmdebstrap debian-archive-keyring curl iptables mtools dosfstools e2fsprogs cpio zstd xz-utils busybox-static
    sudo passwd nftables docker.io wireguard-go wireguard-tools dbus postgresql python3-venv openssl slirp4netns
    chromium chromium-driver restic rclone"
missing() {
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
    done
}
# Twice: what the first installation pulls in may push out a package that was there in another version.
for _ in 1 2; do
    wanted=$(missing)
    [ -n "$wanted" ] || break
    echo "installing:$wanted"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $wanted >/dev/null
done

if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH="$HOME/.cargo/bin:$PATH"; fi
if ! command -v cargo >/dev/null; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y rustup >/dev/null || {
        echo "This system has no package rustup (Debian 13 and Ubuntu 24.04 have it)." >&2
        echo "Install Rust 1.95 or later with rustup, then run this again." >&2
        exit 1
    }
    rustup default stable
fi
PATH="$HOME/.cargo/bin:$PATH"
# stead is one static binary, and the tests test that one.
CARGO_BUILD_TARGET="$(uname -m)-unknown-linux-musl"
export PATH CARGO_BUILD_TARGET
for target in "$CARGO_BUILD_TARGET" wasm32-unknown-unknown; do
    rustup target list --installed | grep -qx "$target" || rustup target add "$target"
done
