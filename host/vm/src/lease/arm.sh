set -eu
units=/run/systemd/system
[ -e "$units/stead-lease.timer" ] && exit 0
mkdir -p "$units"
if [ "$(date +%s)" -ge @END@ ]; then
    exec systemctl poweroff --force
fi
# --force: a service that does not stop must not keep the machine alive.
for name in lease life; do
    cat > "$units/stead-$name.service" <<UNIT
[Unit]
Description=End of this machine ($name)
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=systemctl poweroff --force
UNIT
done
cat > "$units/stead-lease.timer" <<UNIT
[Unit]
Description=Ends this machine when its lease is not renewed
DefaultDependencies=no
# A renewal is a restart.
StartLimitIntervalSec=0
[Timer]
OnActiveSec=@RENEWAL@
AccuracySec=1s
UNIT
cat > "$units/stead-life.timer" <<UNIT
[Unit]
Description=Ends this machine after its longest life
DefaultDependencies=no
[Timer]
OnActiveSec=@LIFETIME@
AccuracySec=1s
UNIT
# Not waited for: early in the boot systemd has other jobs in its queue.
systemctl start --no-block stead-life.timer stead-lease.timer
