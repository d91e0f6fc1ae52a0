#!/usr/bin/env bash
# What compose.postgres.yaml relies on of the official image's entrypoint, and no more: the first start makes the
# cluster with the superuser's password, then runs /docker-entrypoint-initdb.d while no port is open yet.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    chown postgres: "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:?no password}")}
    user=${POSTGRES_USER:-postgres}
    initdb --pgdata="$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=''" --wait start
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql --variable=ON_ERROR_STOP=1 --no-password --no-psqlrc --username="$user" --dbname=postgres --file="$file"
    done
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
fi
exec "$@"
