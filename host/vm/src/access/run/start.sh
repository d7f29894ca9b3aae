set -eu
umask 077
# With few programs: each costs tens of milliseconds on an emulated machine, and somebody waits.
folder=/var/lib/stead/run/@RUN@
ahead=/run/stead-ahead
known=yes
[ -d "$folder" ] || { known=no; mkdir -p "$folder"; }
cd "$folder"
credentials=/run/stead/credentials/@RUN@
start() {
    ready=yes
    set --
    for name in @CREDENTIALS@; do
        # Gone when another start has been faster.
        [ -e "$credentials/$name" ] || ready=no
        set -- "$@" "--property=LoadCredential=$name:$credentials/$name"
    done
    # A connection that breaks ends the input as well: what came may be a piece of it.
    LC_ALL=C
    script=$(cat; echo .)
    script=${script%.}
    [ "${#script}" = @SIZE@ ] || exit 65
    # Files of its own, for another start may be at it too.
    command=command.$$
    printf %s "$script" > "$command"
    : >> output
    # Of several starts one decides which unit it is, and whoever follows reads that. Redirections do not overwrite here.
    set -C
    [ "$#" = 0 ] && [ -p "$ahead" ] && [ ! -e unit ] && true 2> /dev/null > "$ahead.taken" && unit=stead-ahead
    { echo "$unit" > unit; } 2> /dev/null && won=yes || won=no
    set +C
    # The number of the process is there for whoever follows it, until this machine restarts.
    if [ "$won$unit" = yesstead-ahead ]; then
        read -r pid < "$ahead.pid"
        echo "$pid" > /run/stead-run-@RUN@.pid
        echo "@RUN@ $command" > "$ahead"
        return
    fi
    read -r unit < unit || :
    # Runs after everything that the command started has ended: the output is complete then. A machine that is busy may
    # need long for it, and is given that: without a status the command would be lost.
    printf '%s\n' @FINISH@ > finish.$$
    begin='read -r pid rest < /proc/self/stat; echo "$pid" > /run/stead-run-@RUN@.pid; : > started; cd; exec /bin/sh "$0"'
    [ "$ready$unit" = yesstead-run-@RUN@ ] && systemd-run --quiet --collect --unit="$unit" --property=Type=exec --setenv=HOME=/root --property=WorkingDirectory="$folder" \
        --property=StandardOutput=append:"$folder/output" --property=StandardError=append:"$folder/output" \
        --property=TimeoutStopSec=300 --property=ExecStopPost="/bin/sh $folder/finish.$$" "$@" \
        /bin/sh -c "$begin" "$folder/$command" && return
    # Another start may have been faster, and not be through yet.
    i=0
    until [ -e started ] || [ -e status ]; do
        [ "$i" -lt 50 ]
        sleep 0.2
        i=$((i + 1))
    done
}
# It writes `started` itself: what has begun is never begun again.
@UNIT@
[ "$unit" != stead-ahead ] || known=no
if ! { [ -e started ] || [ -e status ] || { [ "$known" = yes ] && systemctl -q is-active "$unit"; }; }; then
    start
fi
[ ! -e "$credentials" ] || rm -rf "$credentials"
set +eu
echo started
