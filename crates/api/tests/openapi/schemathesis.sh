#!/usr/bin/env bash
# Tries the published documents of the dialects on a running server: bodies and parameters that fit it and such
# that do not, some thousand requests. No answer may be a 500, have an unpublished status, header or shape, or take
# what the document refuses. (Whether what it accepts is taken depends on what is stored; `it/openapi.rs` looks at that.)
#
#   schemathesis.sh MUSTER VENV     the server's binary, and where the Python environment is or will be
set -euo pipefail
muster=$(realpath "$1")
venv=$(realpath -m "$2")
here=$(realpath "$(dirname "$0")")

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/"
fi

folder=$(mktemp -d)
"$muster" serve --demo --listen 127.0.0.1:0 --rate-limits off --log warn \
    --database "sqlite:$folder/muster.db" >"$folder/demo" 2>"$folder/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in {1..100}; do
    grep -q '^# 5' "$folder/demo" && break
    kill -0 $server || { cat "$folder/log"; exit 1; }
    sleep 0.1
done
url=$(awk '/ready at/ { print $NF }' "$folder/demo")
password=$(awk '$1 == "Password" { print $2 }' "$folder/demo")
login="{\"email\":\"admin@demo.example\",\"password\":\"$password\"}"
token=$(curl -sS "$url/oauth/token" -H 'Content-Type: application/json' -d "$login" |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')

key=$("$muster" credential create --database "sqlite:$folder/muster.db" --tenant "Demo Company" --dialect lox24 \
    --name schemathesis --json | sed 's/.*"token":"\([^"]*\)".*/\1/')

# Contact groups and phones, beside those of the demo: the first group has the phones that calls are about, the others
# are written to (see schemathesis.toml for the ids).
fill() {
    curl -sSf -o "$folder/answer" "$url/groups" -H "X-LOX24-AUTH-TOKEN: $key" -H 'Content-Type: application/json' \
        -d "{\"name\": \"List $1\", \"phones\": [$2]}"
}
phones=$(seq -s, -f '{"phone": "+1201555%04g", "a": "x"}' 0 99)
fill 1 "$phones"
for list in {2..18}; do fill "$list" '{"phone": "+12015550100"}'; done
# Tags and media prompts of the top group: the first ones are read and changed, others are there to be deleted.
for tag in {1..20}; do
    curl -sSf -o "$folder/answer" "$url/v3/tag" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"tag_name\": \"Tag $tag\"}"
done
{ printf 'RIFF\244\037\0\0WAVEfmt \020\0\0\0\001\0\001\0\100\037\0\0\200\076\0\0\002\0\020\0data\200\037\0\0' &&
    head -c 8064 /dev/zero; } >"$folder/silence.wav"
for prompt in {1..20}; do
    curl -sSf -o "$folder/answer" "$url/v3/media-prompts" -H "Authorization: Bearer $token" \
        -F message_type=prompt -F "prompt_name=Prompt $prompt" -F "file=@$folder/silence.wav"
done
# An Onlive access key signs each request; see signature.py. Its calls are about users and groups of which only the server
# knows the ids: the first ones are read and changed, others are there to be deleted.
signer=$("$muster" credential create --database "sqlite:$folder/muster.db" --tenant "Demo Company" --dialect onlive \
    --name schemathesis --json)
part() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" <<<"$signer"; }
ONLIVE_ACCESS_KEY=$(part access_key_id)
ONLIVE_SECRET=$(part secret_access_key)
make_signed() {
    echo "$2" >"$folder/body"
    local line
    line=$(MUSTER_ACCESS_SECRET=$ONLIVE_SECRET "$muster" sign POST "/api/v1/$1" --access-key "$ONLIVE_ACCESS_KEY" \
        --body-file "$folder/body" --url "$url" --curl)
    { eval "$line" && echo; } | sed 's/^{"id":"\([^"]*\)".*/"\1"/'
}
ids() { for n in $(seq "$2" "$3"); do make_signed "$1" "${4//NUMBER/$n}"; done | paste -sd,; }
user='{"firstName": "First", "lastName": "Last", "email": "userNUMBER@example.org"}'
group='{"name": "Group NUMBER", "externalId": "GNUMBER"}'
sed -e "s/@USERS@/$(ids users 1 5 "$user")/" -e "s/@LEAVERS@/$(ids users 6 30 "$user")/" \
    -e "s/@GROUPS@/$(ids user-groups 1 5 "$group")/" -e "s/@OLD_GROUPS@/$(ids user-groups 6 30 "$group")/" \
    "$here/schemathesis-onlive.toml" >"$folder/onlive.toml"

cd "$folder"
# A document, how it is tried, and the headers with which its calls are made.
try() {
    local name=$1 config=$2 headers=()
    for header in "${@:3}"; do headers+=(--header "$header"); done
    "$venv/bin/schemathesis" --config-file "$config" run "$url/openapi/$name.json" \
        "${headers[@]}" --phases coverage,fuzzing --max-examples 60 --generation-deterministic \
        --checks all --exclude-checks positive_data_acceptance --no-color ||
        { cat "$folder/log"; exit 1; }
}
try convirza "$here/schemathesis.toml" "Authorization: Bearer $token"
try lox24 "$here/schemathesis.toml" "X-LOX24-AUTH-TOKEN: $key"
export ONLIVE_ACCESS_KEY ONLIVE_SECRET SCHEMATHESIS_HOOKS=signature PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
try onlive "$folder/onlive.toml" "Authorization: to be signed" "x-onlive-site-date: now"
