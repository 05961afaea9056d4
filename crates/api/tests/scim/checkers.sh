#!/usr/bin/env bash
# Independent checkers of SCIM, by others, on a running server and for both profiles of a token: scim2-tester through
# scim2-cli, of which every result has to be a success, and scim-sanity, which may have no failure and no warning.
#
#   checkers.sh MUSTER VENV     the server's binary, and where the Python environment is or will be
set -euo pipefail
source "$(dirname "$0")/../running/server.sh"

fail() {
    cat "$1" "$folder/log"
    exit 1
}

# A checker that ends early has no failures either, so that the results are counted: there may be more, but not fewer.
tester() {
    local report=$folder/tester
    "$venv/bin/scim2" --url "$url/scim/v2" --header "Authorization: Bearer $1" test --verbose >"$report" 2>&1 ||
        fail "$report"
    local all good
    all=$(grep -cE '^[A-Z]+ [a-z0-9_]+$' "$report" || true)
    good=$(grep -c '^SUCCESS ' "$report" || true)
    [ "$good" = "$all" ] && [ "$good" -ge 135 ] || fail "$report"
    echo "scim2-tester: $good results, every one a success"
}

# It knows two kinds of resources of a draft, agents and their applications, that nobody else has, and skips these.
sanity() {
    local report=$folder/sanity
    "$venv/bin/scim-sanity" probe "$url/scim/v2" --token "$1" --i-accept-side-effects --json-output >"$report" 2>&1 ||
        fail "$report"
    "$venv/bin/python" - "$report" <<'END' || fail "$report"
import json
import sys

report = json.load(open(sys.argv[1]))
summary = report["summary"]
others = [result for result in report["results"] if result["status"] != "pass"]
assert all(result["status"] == "skip" and result["name"].startswith("Agent") for result in others), others
assert summary["passed"] >= 28 and summary["total"] == summary["passed"] + len(others), summary
print(f"scim-sanity: {summary['passed']} passed, {len(others)} skipped for agents, which are no resources here")
END
}

for profile in rfc entra; do
    token=$(credential scim --profile "$profile" | part token)
    tester "$token"
    sanity "$token"
done
