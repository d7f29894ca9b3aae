# Runs on the build machine after mmdebstrap: $1 is the root of the image.
set -eu
root=$1
cp "$STEAD_INPUTS/apt.conf" "$root/etc/apt/apt.conf.d/90build-machine"
# As the official image has it: no package stays in a layer.
echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' > "$root/etc/apt/apt.conf.d/91docker-clean"
echo 'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/92no-languages"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
chroot "$root" update-ca-certificates
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n' > "$root/etc/pip.conf"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
