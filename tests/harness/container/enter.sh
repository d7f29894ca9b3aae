# Runs in fresh namespaces and becomes systemd there: $1 the container's folder, $2 the root folder below it, $3 its name.
# What a container shares with the build machine is read-only in it: /sys, and every kernel parameter but those of its network.
set -eu
folder=$1 root=$1/root
mount --make-rprivate /
mkdir -p "$root" "$folder/upper" "$folder/work" "$folder/docker"
mount -t overlay -o "lowerdir=$2,upperdir=$folder/upper,workdir=$folder/work" overlay "$root"
# Docker's own overlays cannot lie on an overlay.
mkdir -p "$root/var/lib/docker"
mount --bind "$folder/docker" "$root/var/lib/docker"

mount -t proc proc "$root/proc"
# What policies set beside the network is a file of the container's own.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/parameters"
for parameter in kernel/kptr_restrict vm/swappiness; do
    cat "$root/proc/sys/$parameter" > "$root/dev/parameters/${parameter##*/}"
done
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,rw "$root/proc/sys/net"
for parameter in kernel/kptr_restrict vm/swappiness; do
    mount --bind "$root/dev/parameters/${parameter##*/}" "$root/proc/sys/$parameter"
done
if [ -e "$root/proc/sysrq-trigger" ]; then
    mount --bind /dev/null "$root/proc/sysrq-trigger"
fi
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"

for device in null zero full random urandom tty net/tun; do
    [ -e "/dev/$device" ] || continue
    mkdir -p "$root/dev/net"
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

# What cloud-init does on other machines: who may log in, under which host key.
if [ ! -e "$root/etc/cloud/cloud-init.disabled" ]; then
    chroot "$root" useradd --create-home --shell /bin/bash admin
    install -d -m 700 "$root/root/.ssh" "$root/home/admin/.ssh"
    install -m 600 "$folder/client_key.pub" "$root/root/.ssh/authorized_keys"
    install -m 600 "$folder/client_key.pub" "$root/home/admin/.ssh/authorized_keys"
    chroot "$root" chown -R admin: /home/admin/.ssh
    echo 'admin ALL=(ALL) NOPASSWD:ALL' > "$root/etc/sudoers.d/90-admin"
    install -m 600 "$folder/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
    install -m 644 "$folder/host_key.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
    touch "$root/etc/cloud/cloud-init.disabled"
    echo "$3" > "$root/etc/hostname"
fi
hostname "$3"

cd "$root"
pivot_root . mnt
umount -l /mnt
# As systemd has it on a server, and leaves it alone in a container: the credentials of units are mounted by its children.
mount --make-rshared /
exec env -i container=stead-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
