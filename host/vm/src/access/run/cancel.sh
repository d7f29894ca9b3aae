set -eu
umask 077
mkdir -p /var/lib/stead/run/@RUN@
cd /var/lib/stead/run/@RUN@
[ -e status ] || : > cancelled
systemctl stop stead-run-@RUN@ 2> /dev/null || :
# It was never started, and never will be.
if [ ! -e status ]; then
    : >> output
    echo 'success killed TERM' > status.new
    mv status.new status
fi
