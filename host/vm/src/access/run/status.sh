cd /var/lib/stead/run/@RUN@ 2> /dev/null || { echo lost; exit 0; }
@UNIT@
# Asked before the status is looked for: it may end in between.
state=$(systemctl show --value --property=ActiveState "$unit")
if [ -e status ]; then
    [ ! -e cancelled ] || word=cancelled
    echo "$(stat -c %s output) ${word-} $(cat status)"
elif [ "$state" = inactive ] || [ "$state" = failed ]; then
    echo lost
else
    echo "$(stat -c %s output) running"
fi
