set -eu
umask 077
# In memory, and gone when the command has started: it has copies of its own (LoadCredential= of systemd.exec(5)).
folder=/run/stead/credentials/@RUN@
mkdir -p "$folder"
cd "$folder"
new=$(mktemp .new.XXXXXX)
trap 'rm -f "$new"' EXIT
# The size first: a connection that breaks ends the input as well, and what came may be a piece of it.
read -r size
head -c "$size" > "$new"
[ "$(stat -c %s "$new")" = "$size" ] || exit 65
mv -f "$new" @NAME@
