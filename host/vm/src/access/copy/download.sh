set -eu
path=@PATH@
[ -f "$path" ] || exit 66
digest=$(sha256sum < "$path")
printf '%s %s\n' "$(stat -L -c %s -- "$path")" "${digest%% *}"
exec cat < "$path"
