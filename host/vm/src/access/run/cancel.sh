set -eu
umask 077
mkdir -p /var/lib/stead/run/@RUN@
cd /var/lib/stead/run/@RUN@
@UNIT@
[ -e status ] || : > cancelled
systemctl stop --no-block "$unit" 2> /dev/null || :
i=0
until [ -e status ] || [ "$i" = 50 ] || [ "$(systemctl show --value --property=ActiveState "$unit")" = inactive ]; do
    sleep 0.2
    i=$((i + 1))
done
# What still runs is killed; but not what writes down how it ended.
if [ ! -e status ] && [ "$(systemctl show --value --property=SubState "$unit")" = stop-sigterm ]; then
    systemctl kill --signal=KILL "$unit" || :
fi
systemctl stop "$unit" 2> /dev/null || :
# It was never started, and never will be.
if [ ! -e status ]; then
    : >> output
    echo 'success killed TERM' > status.new
    mv status.new status
fi
