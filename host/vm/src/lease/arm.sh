set -eu
# With few programs: each costs tens of milliseconds on an emulated machine, and somebody waits.
units=/run/systemd/system
[ -e "$units/stead-lease.timer" ] && exit 0
[ -d "$units" ] || mkdir -p "$units"
if [ "$(date +%s)" -ge @END@ ]; then
    exec systemctl poweroff --force
fi
# --force: a service that does not stop must not keep the machine alive.
for name in life lease; do
    printf '%s\n' '[Unit]' "Description=End of this machine ($name)" DefaultDependencies=no \
        '[Service]' Type=oneshot 'ExecStart=systemctl poweroff --force' > "$units/stead-$name.service"
done
# The lease comes last, for it says that this is done. A renewal is a restart, and there is no limit to those.
printf '%s\n' '[Unit]' 'Description=Ends this machine after its longest life' DefaultDependencies=no \
    '[Timer]' OnActiveSec=@LIFETIME@ AccuracySec=1s > "$units/stead-life.timer"
printf '%s\n' '[Unit]' 'Description=Ends this machine when its lease is not renewed' DefaultDependencies=no \
    StartLimitIntervalSec=0 '[Timer]' OnActiveSec=@RENEWAL@ AccuracySec=1s > "$units/stead-lease.timer"
# Not waited for: early in the boot systemd has other jobs in its queue.
systemctl start --no-block stead-life.timer stead-lease.timer
