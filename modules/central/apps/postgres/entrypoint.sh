#!/bin/sh
# What this repo uses of the official image's entrypoint: the data folder is made once, as a whole or not at all.
set -eu
if [ ! -e "$PGDATA/made" ]; then
    rm -rf "${PGDATA:?}"/*
    initdb --username=postgres --encoding=UTF8 --locale=C.UTF-8 --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        . "$script"
    done
    pg_ctl --wait --mode=fast stop
    touch "$PGDATA/made"
fi
exec postgres -c listen_addresses='*'
