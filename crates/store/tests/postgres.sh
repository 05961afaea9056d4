#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own, whose URL is in MUSTER_TEST_POSTGRES (and the root of its certificate in
# MUSTER_TEST_POSTGRES_ROOT), and removes it afterwards. Needs the Debian package postgresql. POSTGRES_FSYNC=on makes commits as durable, and as slow, as they are in earnest.
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
# TLS, with a certificate of its own root for 127.0.0.1 alone.
(
    cd "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-root -keyout root.key -out root.pem
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test-server -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -out server.crt \
        -extfile <(echo "subjectAltName=IP:127.0.0.1")
    [ "$(id -u)" != 0 ] || chown postgres: server.key server.crt
) 2>"$folder/openssl.log" || { cat "$folder/openssl.log" >&2; exit 1; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
in_folder "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start -o "-p $port -k $folder \
    -c listen_addresses=127.0.0.1 -c max_connections=500 -c fsync=${POSTGRES_FSYNC:-off} -c full_page_writes=${POSTGRES_FSYNC:-off} -c shared_buffers=256MB \
    -c max_wal_size=4GB -c autovacuum_naptime=10s \
    -c ssl=on -c ssl_cert_file=$folder/server.crt -c ssl_key_file=$folder/server.key" >/dev/null || { cat "$folder/log" >&2; exit 1; }

# What is not about TLS goes without.
MUSTER_TEST_POSTGRES="postgres://muster@127.0.0.1:$port/postgres?sslmode=disable" \
    MUSTER_TEST_POSTGRES_ROOT="$folder/root.pem" PGHOST="$folder" PGPORT=$port PGUSER=muster "$@"
