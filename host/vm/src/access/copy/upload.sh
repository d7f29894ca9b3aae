set -eu
path=@PATH@
mkdir -p -- "$(dirname -- "$path")"
new=$(mktemp -- "$path.XXXXXX")
trap 'rm -f -- "$new"' EXIT
cat > "$new"
digest=$(sha256sum < "$new")
[ "${digest%% *}" = @DIGEST@ ] || exit 65
chmod 644 -- "$new"
mv -f -- "$new" "$path"
