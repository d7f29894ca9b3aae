#!/bin/sh
# Canaille takes its configuration from the environment; what is secret comes from files.
set -eu
secret() { cat "/run/secrets/$1"; }
SECRET_KEY=$(secret session)
CANAILLE_SQL__DATABASE_URI="postgresql+psycopg2://sso:$(secret database)@postgres/sso"
CANAILLE_OIDC__ACTIVE_JWKS=$(python3 -c 'import json; print(json.dumps([open("/run/secrets/signing_key").read()]))')
export SECRET_KEY CANAILLE_SQL__DATABASE_URI CANAILLE_OIDC__ACTIVE_JWKS

client() { # NAME SECRET PORT CALLBACK: as it is written here, also when it was there before
    canaille delete client --noconfirm --ignore-errors --client-id "$1"
    canaille create client --quiet --client-id "$1" --client-secret "$2" --client-name "$1" \
        --client-uri "https://$1.$DOMAIN$3" --redirect-uris "https://$1.$DOMAIN$3$4" \
        --grant-types authorization_code --response-types code --scope openid --scope profile --scope email --scope groups \
        --token-endpoint-auth-method client_secret_basic
    # Whom its tokens are for, which clients look at.
    canaille set client "$1" --audience "$1" > /dev/null
}

case $1 in
setup)
    canaille install
    # Afterwards the password is what the admin made of it.
    canaille create user --quiet --ignore-errors --user-name admin --password "$(secret admin)" \
        --family-name Admin --emails "admin@$DOMAIN"
    client app "$(secret client_web)" '' /api/callback
    client jobs "$(secret client_stead)" :8443 /sso/callback
    ;;
serve)
    exec canaille run
    ;;
esac
