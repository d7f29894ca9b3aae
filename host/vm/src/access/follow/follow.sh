cd /var/lib/stead/run/@RUN@ || exit 1
pid=$(systemctl show --value --property=MainPID stead-run-@RUN@)
if [ -e status ] || [ "$pid" = 0 ]; then
    exec tail -c +@NEXT@ output
fi
exec tail -c +@NEXT@ -s 0.2 --pid="$pid" -f output
