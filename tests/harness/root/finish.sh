# Runs on the build machine after mmdebstrap has installed the packages: $1 is the root of the image.
# Turns a bare system into what a provider hands out, and takes away only what costs time and tests nothing.
set -eu
root=$1

# The packages that stead may install lie in the image, for a download under emulation takes minutes. Chosen by the image's
# own apt, so that the set fits what is installed already.
mkdir -p "$root/srv/apt/partial"
# resolved may have its own name server in place already, which does not run here.
mv "$root/etc/resolv.conf" "$root/etc/resolv.conf.own"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" apt-get install -y --no-install-recommends --download-only \
    -o Dir::Cache::archives=/srv/apt $STEAD_ARCHIVE
mv "$root/etc/resolv.conf.own" "$root/etc/resolv.conf"
rm -rf "$root/srv/apt/partial" "$root/srv/apt/lock"
# Repacked without compression: unpacking Docker takes a minute under emulation otherwise.
(cd "$root/srv/apt" && for deb in *.deb; do
    dpkg-deb --raw-extract "$deb" tree
    dpkg-deb -Znone --build tree "$deb" >&2
    rm -rf tree
    dpkg-deb --field "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
        "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages)

# Only the local archive is on: with the ordinary ones every apt command parses 50 MB of lists, and recommended packages
# come over the network. `Vm::use_network_archives` turns them on.
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/apt ./' > "$root/etc/apt/sources.list.d/local.list"
mkdir -p "$root/usr/share/stead-test"
cp "$STEAD_INPUTS/network.list" "$root/usr/share/stead-test/network.list"
cp "$STEAD_INPUTS/apt.conf" "$root/etc/apt/apt.conf.d/90build-machine"
echo 'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/91no-translations"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
chroot "$root" update-ca-certificates
rm -rf "$root"/var/lib/apt/lists/*
chroot "$root" apt-get update

# As on a fresh cloud server: networkd brings up every Ethernet card by DHCP, resolved answers.
cat > "$root/etc/systemd/network/90-dhcp.network" <<'UNIT'
[Match]
Type=ether
Kind=!*

[Network]
DHCP=yes
UNIT
chroot "$root" systemctl enable systemd-networkd systemd-resolved ssh
echo '127.0.0.1 localhost' > "$root/etc/hosts"
echo stead-test > "$root/etc/hostname"
: > "$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_*

# The seed is the only source of configuration, and networkd is configured above: no probing under emulation.
cat > "$root/etc/cloud/cloud.cfg.d/90-test.cfg" <<'CONFIG'
datasource_list: [ NoCloud, None ]
network: { config: disabled }
apt: { preserve_sources_list: true }
resize_rootfs: false
growpart: { mode: "off" }
CONFIG
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer \
    e2scrub_reap.service man-db.timer systemd-networkd-wait-online.service systemd-pstore.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# It complains on the console that the machine has no vsock.
mkdir -p "$root/etc/systemd/system-generators"
ln -s /dev/null "$root/etc/systemd/system-generators/systemd-ssh-generator"
# Packages' triggers must not build an initramfs that nothing boots from.
echo 'update_initramfs=no' > "$root/etc/initramfs-tools/update-initramfs.conf"
rm -rf "$root"/boot/initrd.img-* "$root"/usr/share/doc/* "$root"/usr/share/locale/*
