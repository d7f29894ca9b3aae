cd /var/lib/stead/run/@RUN@ || exit 1
if [ ! -e status ]; then
    pid= group=
    @UNIT@
    # It may have been begun a moment ago.
    [ -e /run/stead-run-@RUN@.pid ] || sleep 0.1
    # Asking systemd takes an emulated machine longer than all else here. The number may be another process's by now.
    read -r pid 2> /dev/null < /run/stead-run-@RUN@.pid
    [ "$pid" ] && read -r group 2> /dev/null < "/proc/$pid/cgroup"
    case $group in
        */"$unit".service) ;;
        *) pid=$(systemctl show --value --property=MainPID "$unit") ;;
    esac
    if [ ! -e status ] && [ "$pid" != 0 ]; then
        exec tail -c +@NEXT@ -s 0.2 --pid="$pid" -f output
    fi
fi
exec tail -c +@NEXT@ output
