set -eu
# In a template everything that boots has booted.
cloud-init status --wait > /dev/null 2>&1 || :
systemctl is-system-running --wait > /dev/null 2>&1 || :
systemctl stop stead-lease.timer stead-life.timer
rm -f /run/systemd/system/stead-*
mkdir -p /usr/local/lib/stead
cat > /usr/local/lib/stead/wake
cat > /run/systemd/system/stead-wake.service <<UNIT
[Unit]
Description=Makes a resumed machine one of its own
[Service]
# Whoever waits for sshd is served first; what else is done then takes its time, but is done.
CPUWeight=1
ExecStart=/bin/sh /usr/local/lib/stead/wake
UNIT
systemctl daemon-reload
# What waking and a first command run is then in the memory of each machine, and is not read from its disk.
for program in head date cat chmod mkdir tail systemd-run; do
    "$program" --version > /dev/null 2>&1 || :
done
rm -f /etc/ssh/ssh_host_* /root/.ssh/authorized_keys
# This very session goes on.
systemctl stop ssh.socket 2> /dev/null || :
systemctl stop ssh.service 2> /dev/null || systemctl stop sshd.service
sync
systemctl start stead-wake.service
