#!/usr/bin/env bash
# Runs a command with a message centre by others at hand: the folder of the npm package `smpp`, in the version of the lock
# file, is in MUSTER_TEST_SMSC. It stays in the target folder. Needs the Debian packages nodejs and npm.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || { echo "smsc.sh: there is no node; install the Debian packages nodejs and npm" >&2; exit 1; }

folder=${CARGO_TARGET_DIR:-$here/../../../target}/smsc
mkdir -p "$folder"
# Again when the list changes. The stamp is written when all is there: an installation that was cut off begins anew.
if ! cmp -s "$here/smsc/package-lock.json" "$folder/installed.json"; then
    rm -rf "$folder/node_modules" "$folder/installed.json"
    cp "$here/smsc/package.json" "$here/smsc/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund)
    cp "$folder/package-lock.json" "$folder/installed.new"
    mv "$folder/installed.new" "$folder/installed.json"
fi

MUSTER_TEST_SMSC=$(cd "$folder" && pwd) "$@"
