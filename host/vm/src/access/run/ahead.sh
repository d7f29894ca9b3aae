# Starts one unit ahead, for the first command that has no credentials: on an emulated machine that is half a second.
set -eu
umask 077
# An earlier try may have lost its connection, at any line.
systemctl -q is-active stead-ahead && exit 0
rm -f /run/stead-ahead*
lib=/usr/local/lib/stead
mkdir -p "$lib"
mkfifo /run/stead-ahead
printf '%s\n' 'echo "$$" > /run/stead-ahead.pid' \
    'read -r run command < /run/stead-ahead' 'echo "$run" > /run/stead-ahead.run' \
    'cd "/var/lib/stead/run/$run" || exit' 'exec >> output 2>&1' ': > started' 'cd' \
    'exec /bin/sh "/var/lib/stead/run/$run/$command"' > "$lib/ahead"
# Without a command it ends without a status.
printf '%s\n' 'read -r run < /run/stead-ahead.run || exit 0' 'cd "/var/lib/stead/run/$run"' @FINISH@ > "$lib/finish"
systemd-run --quiet --collect --unit=stead-ahead --property=Type=exec --setenv=HOME=/root \
    --property=StandardOutput=null --property=StandardError=null \
    --property=TimeoutStopSec=300 --property=ExecStopPost="/bin/sh $lib/finish" /bin/sh "$lib/ahead"
until [ -s /run/stead-ahead.pid ]; do
    sleep 0.1
done
