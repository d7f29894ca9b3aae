# Runs dockerd in $1 and stops it when no test process uses it any more. Runs as the first process of its own network,
# mount and process namespaces: its end is the end of all that it started.
set -eu
folder=$1
ip link set lo up
dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" \
    --host "unix://$folder/docker.sock" > "$folder/dockerd.log" 2>&1 &
daemon=$!
# Without the lock's holder gone, a test may be between taking the lock and its first call.
while kill -0 "$daemon" 2> /dev/null; do
    sleep 5
    exec 9> "$folder/users.lock"
    if flock --nonblock --exclusive 9; then
        kill "$daemon"
        wait "$daemon" || true
        rm -rf "$folder/data" "$folder/exec" "$folder/docker.sock"
        exit
    fi
    exec 9>&-
done
