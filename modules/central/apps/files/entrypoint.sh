#!/bin/sh
# The host key is made once, and stays: clients would not believe another one.
set -eu
if [ "$2" = sftp ] && ! grep -qv '^\s*\(#.*\)\?$' /etc/authorized_keys; then
    echo 'apps/files/authorized_keys has no key yet: nobody could come in' >&2
    exit 1
fi
key=/keys/ssh_host_ed25519_key
[ -e "$key" ] || [ "$2" != sftp ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
exec rclone --config /dev/null "$@"
