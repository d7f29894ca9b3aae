set -eu
umask 077
folder=/var/lib/stead/run/@RUN@
unit=stead-run-@RUN@
mkdir -p "$folder"
cd "$folder"
# It writes `started` itself: what has begun is never begun again.
credentials=/run/stead/credentials/@RUN@
if [ -e started ] || [ -e status ] || systemctl -q is-active "$unit"; then
    rm -rf "$credentials"
    exit 0
fi
ready=yes
set --
for name in @CREDENTIALS@; do
    # Gone when another start has been faster.
    [ -e "$credentials/$name" ] || ready=no
    set -- "$@" "--property=LoadCredential=$name:$credentials/$name"
done
# Whole or not at all, for another start may be at it too.
new=$(mktemp new.XXXXXX)
cat > "$new"
# A connection that breaks ends the input as well: what came may be a piece of it.
digest=$(sha256sum < "$new")
[ "${digest%% *}" = @DIGEST@ ] || { rm -f "$new"; exit 65; }
mv -f "$new" command
# Runs after everything that the command started has ended: the output is complete then.
new=$(mktemp new.XXXXXX)
cat > "$new" <<'FINISH'
printf '%s %s %s\n' "$SERVICE_RESULT" "$EXIT_CODE" "$EXIT_STATUS" > status.new
mv status.new status
FINISH
mv -f "$new" finish
: >> output
[ "$ready" = yes ] && systemd-run --quiet --collect --unit="$unit" --property=Type=exec --setenv=HOME=/root --property=WorkingDirectory="$folder" \
    --property=StandardOutput=append:"$folder/output" --property=StandardError=append:"$folder/output" \
    --property=TimeoutStopSec=10 --property=ExecStopPost="/bin/sh $folder/finish" "$@" \
    /bin/sh -c ': > started; cd; exec /bin/sh "$0"' "$folder/command" && { rm -rf "$credentials"; exit; }
# Another start may have been faster, and not be through yet.
i=0
until [ -e started ] || [ -e status ]; do
    [ "$i" -lt 50 ]
    sleep 0.2
    i=$((i + 1))
done
