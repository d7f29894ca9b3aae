# Runs dockerd in $1 and stops it when no test process uses it any more. Runs as the first process of its own network,
# mount and process namespaces: its end is the end of all that it started. With $2 its data has only that much room. When
# it is killed while there is a file `restart`, it is started again.
set -eu
folder=$1
ip link set lo up
# One that was killed cleans nothing up, and its process number may be that of another process by now.
rm -rf "$folder/data" "$folder/exec" "$folder/docker.sock" "$folder/dockerd.pid"
if [ -n "${2-}" ]; then
    mkdir -p "$folder/data"
    mount -t tmpfs -o "size=$2" none "$folder/data"
fi
serve() {
    dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" \
        --host "unix://$folder/docker.sock" >> "$folder/dockerd.log" 2>&1 &
    daemon=$!
}
: > "$folder/dockerd.log"
serve
# Without the lock's holder gone, a test may be between taking the lock and its first call.
while kill -0 "$daemon" 2> /dev/null || [ -e "$folder/restart" ]; do
    if ! kill -0 "$daemon" 2> /dev/null; then
        wait "$daemon" || true
        rm -f "$folder/restart" "$folder/dockerd.pid"
        serve
    fi
    sleep 1
    exec 9> "$folder/users.lock"
    if flock --nonblock --exclusive 9; then
        kill "$daemon"
        wait "$daemon" || true
        [ -z "${2-}" ] || umount -l "$folder/data"
        rm -rf "$folder/data" "$folder/exec" "$folder/docker.sock"
        exit
    fi
    exec 9>&-
done
