#!/usr/bin/env bash
# Runs a command with a message centre by others at hand: the folder of the npm package `smpp`, in the version of the lock
# file, is in MUSTER_TEST_SMSC. It stays in the target folder. Needs the Debian packages nodejs and npm.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || { echo "smsc.sh: there is no node; install the Debian packages nodejs and npm" >&2; exit 1; }

folder=${CARGO_TARGET_DIR:-$here/../../../target}/smsc
mkdir -p "$folder"
# Again when the list changes.
if ! cmp -s "$here/smsc/package-lock.json" "$folder/package-lock.json"; then
    rm -rf "$folder/node_modules"
    cp "$here/smsc/package.json" "$folder/"
    cp "$here/smsc/package-lock.json" "$folder/package-lock.new"
    (
        cd "$folder"
        mv package-lock.new package-lock.json
        npm ci --ignore-scripts --no-audit --no-fund --silent || { rm -f package-lock.json; exit 1; }
    )
fi

MUSTER_TEST_SMSC=$(cd "$folder" && pwd) "$@"
