#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own, whose URL is in MUSTER_TEST_POSTGRES, and removes it afterwards. Needs the
# Debian package postgresql. POSTGRES_FSYNC=on makes commits as durable, and as slow, as they are in earnest.
set -euo pipefail

bin=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "postgres.sh: there is no PostgreSQL; install the Debian package postgresql" >&2; exit 1; }

folder=$(mktemp -d /tmp/muster-postgres.XXXXXX)
# It does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    chown postgres: "$folder"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
fi
in_folder() { (cd "$folder" && "${as[@]}" "$@"); }
end() {
    in_folder "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

in_folder "$bin/initdb" -D "$folder/data" -U muster -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" ||
    { cat "$folder/initdb.log" >&2; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
in_folder "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start -o "-p $port -k $folder \
    -c listen_addresses=127.0.0.1 -c max_connections=500 -c fsync=${POSTGRES_FSYNC:-off} -c full_page_writes=${POSTGRES_FSYNC:-off} -c shared_buffers=256MB \
    -c max_wal_size=4GB -c autovacuum_naptime=10s" >/dev/null || { cat "$folder/log" >&2; exit 1; }

MUSTER_TEST_POSTGRES="postgres://muster@127.0.0.1:$port/postgres" PGHOST="$folder" PGPORT=$port PGUSER=muster \
    "$@"
