#!/bin/sh
# Makes what the server needs to keep to itself, in secrets.age: passwords, keys, tokens, and a certificate authority of the
# team with a certificate for the server. What is there already stays: it may be run again.
#   ./make-secrets.sh central.example anna ben …
set -eu
domain=$1
shift
there=$(stead secret ls)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

is_there() { printf '%s\n' "$there" | grep -qx "$1"; }
keep() { is_there "$1" || stead secret set "$1"; } # the value is read from standard input

for name in postgres-password sso-database web-database monitor-database redis-password \
    sso-session web-session web-client stead-client jobs-token metrics-token backup-password; do
    openssl rand -hex 24 | tr -d '\n' | keep "$name"
done
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 2> /dev/null | keep sso-signing-key

# The first admin of the SSO provider, who changes it there. Passwords of people are printed, once.
if ! is_there sso-admin; then
    password=$(openssl rand -hex 12)
    echo "admin $password" >&2
    printf %s "$password" | keep sso-admin
fi

# The team, for registry, files and watchers: a line of htpasswd(5) each.
if ! is_there team-users; then
    for person in "$@"; do
        password=$(openssl rand -hex 12)
        echo "$person $password" >&2
        printf '%s:%s\n' "$person" "$(openssl passwd -apr1 "$password")"
    done > "$work/users"
    keep team-users < "$work/users"
fi

# With a certificate of a public authority: `stead secret set tls-cert < fullchain.pem`, and tls-key; tls-ca is its root then.
if ! is_there tls-cert; then
    cd "$work"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$domain authority" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -keyout ca.key -out ca.crt 2> /dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$domain" -keyout tls.key -out tls.csr 2> /dev/null
    printf 'subjectAltName=DNS:%s,DNS:*.%s\nextendedKeyUsage=serverAuth\n' "$domain" "$domain" > ext
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -days 825 -extfile ext -out tls.crt 2> /dev/null
    cd "$OLDPWD"
    keep tls-ca < "$work/ca.crt"
    keep tls-ca-key < "$work/ca.key"
    keep tls-key < "$work/tls.key"
    keep tls-cert < "$work/tls.crt"
fi
