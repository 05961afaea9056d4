#!/usr/bin/env bash
# Tries the published documents of the dialects on a running server: bodies and parameters that fit it and such
# that do not, some thousand requests. No answer may be a 500, have an unpublished status, header or shape, or take
# what the document refuses. (Whether what it accepts is taken depends on what is stored; `it/openapi.rs` looks at that.)
#
#   schemathesis.sh MUSTER VENV     the server's binary, and where the Python environment is or will be
set -euo pipefail
here=$(realpath "$(dirname "$0")")
source "$here/../running/server.sh"

password=$(awk '$1 == "Password" { print $2 }' "$folder/demo")
login="{\"email\":\"admin@demo.example\",\"password\":\"$password\"}"
token=$(curl -sS "$url/oauth/token" -H 'Content-Type: application/json' -d "$login" | part access_token)
key=$(credential lox24 | part token)

# Contact groups and phones, beside those of the demo: the first group has the phones that calls are about, the others
# are written to (see schemathesis.toml for the ids).
fill() {
    curl -sSf -o "$folder/answer" "$url/groups" -H "X-LOX24-AUTH-TOKEN: $key" -H 'Content-Type: application/json' \
        -d "{\"name\": \"List $1\", \"phones\": [$2]}"
}
phones=$(seq -s, -f '{"phone": "+1201555%04g", "a": "x"}' 0 99)
fill 1 "$phones"
for list in {2..18}; do fill "$list" '{"phone": "+12015550100"}'; done
# Webhooks, to be read and changed or to be deleted. Nobody listens at their address, so that tests of them send nothing.
for _ in {1..20}; do
    curl -sSf -o "$folder/answer" "$url/v3/webhooks" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"webhook_name": "Hook", "webhook_url": "http://127.0.0.1:1024/hook", "events": ["sms.*"]}'
done
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
signer=$(credential onlive)
ONLIVE_ACCESS_KEY=$(part access_key_id <<<"$signer")
ONLIVE_SECRET=$(part secret_access_key <<<"$signer")
make_signed() {
    echo "$2" >"$folder/body"
    local line
    line=$(MUSTER_ACCESS_SECRET=$ONLIVE_SECRET "$muster" sign POST "/api/v1/$1" --access-key "$ONLIVE_ACCESS_KEY" \
        --body-file "$folder/body" --url "$url" --curl)
    { eval "$line" && echo; } | sed 's/^{"id":"\([^"]*\)".*/"\1"/'
}
ids() { for n in $(seq "$3" "$4"); do "$1" "$2" "${5//NUMBER/$n}"; done | paste -sd,; }
user='{"firstName": "First", "lastName": "Last", "email": "userNUMBER@example.org"}'
group='{"name": "Group NUMBER", "externalId": "GNUMBER"}'
sed -e "s/@USERS@/$(ids make_signed users 1 5 "$user")/" -e "s/@LEAVERS@/$(ids make_signed users 6 30 "$user")/" \
    -e "s/@GROUPS@/$(ids make_signed user-groups 1 5 "$group")/" -e "s/@OLD_GROUPS@/$(ids make_signed user-groups 6 30 "$group")/" \
    "$here/schemathesis-onlive.toml" >"$folder/onlive.toml"

# SCIM's ids are likewise only known when there is something.
scim=$(credential scim | part token)
make_scim() {
    curl -sSf -w '\n' "$url/scim/v2/$1" -H "Authorization: Bearer $scim" -H 'Content-Type: application/scim+json' -d "$2" |
        sed 's/.*"id":"\([^"]*\)".*/"\1"/'
}
user='{"userName": "userNUMBER", "emails": [{"value": "userNUMBER@example.org", "type": "work"}]}'
group='{"displayName": "Scim NUMBER", "externalId": "SNUMBER"}'
sed -e "s/@USERS@/$(ids make_scim Users 1 5 "$user")/" -e "s/@LEAVERS@/$(ids make_scim Users 6 30 "$user")/" \
    -e "s/@GROUPS@/$(ids make_scim Groups 1 5 "$group")/" -e "s/@OLD_GROUPS@/$(ids make_scim Groups 6 30 "$group")/" \
    "$here/schemathesis-scim.toml" >"$folder/scim.toml"

# Drafts of broadcasts, and conversations: the first ones are read and changed, others are there to be deleted.
for _ in {1..20}; do
    curl -sSf -o "$folder/answer" "$url/v3/broadcast" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"broadcast_name": "Spring", "from_number": "+13035550112", "message": "Hi", "recipients": ["+12015550100"]}'
done
make_incoming() {
    "$muster" sandbox inbound --database "$database" --tenant "Demo Company" --from "+1201555$((0100 + $2))" --to +13035550112 \
        --text 'hello?' --json | sed 's/.*"uuid":"\([^"]*\)".*/"\1"/'
}

# LOX24's messages: of each kind the first five are read, the others are there to be stopped or deleted.
make_lox24() {
    curl -sSf -w '\n' "$url/$1" -H "X-LOX24-AUTH-TOKEN: $key" -H 'Content-Type: application/json' -d "$2" |
        sed 's/.*"uuid":"\([^"]*\)".*/"\1"/'
}
message='{"sender_id": "Muster", "text": "Number NUMBER", "phone": "+12015550100"}'
bulk='{"sender_id": "Muster", "text": "Number NUMBER", "phones": ["+12015550100"], "delivery_at": 4102444800}'
for number in {1..20}; do make_lox24 blocked_numbers "{\"number\": \"+1201555$((number + 1000))\"}" >"$folder/answer"; done
sed -e "s/@MESSAGES@/$(ids make_lox24 sms 1 5 "$message")/" -e "s/@OLD_MESSAGES@/$(ids make_lox24 sms 6 30 "$message")/" \
    -e "s/@INCOMINGS@/$(ids make_incoming - 1 5 NUMBER)/" -e "s/@OLD_INCOMINGS@/$(ids make_incoming - 6 20 NUMBER)/" \
    -e "s/@BULKS@/$(ids make_lox24 bulks 1 5 "$bulk")/" -e "s/@OLD_BULKS@/$(ids make_lox24 bulks 6 30 "$bulk")/" \
    "$here/schemathesis.toml" >"$folder/schemathesis.toml"

cd "$folder"
# A document, how it is tried, how many examples there are of a call, and the headers with which its calls are made.
try() {
    local name=$1 config=$2 examples=$3 headers=()
    for header in "${@:4}"; do headers+=(--header "$header"); done
    "$venv/bin/schemathesis" --config-file "$config" run "$url/openapi/$name.json" \
        "${headers[@]}" --phases coverage,fuzzing --max-examples "$examples" --generation-deterministic \
        --checks all --exclude-checks positive_data_acceptance --no-color ||
        { cat "$folder/log"; exit 1; }
}
try convirza "$folder/schemathesis.toml" 60 "Authorization: Bearer $token"
try lox24 "$folder/schemathesis.toml" 60 "X-LOX24-AUTH-TOKEN: $key"
# Each of its bodies is of two content types, so that there are as many examples of each.
try scim "$folder/scim.toml" 30 "Authorization: Bearer $scim"
export ONLIVE_ACCESS_KEY ONLIVE_SECRET SCHEMATHESIS_HOOKS=signature PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
try onlive "$folder/onlive.toml" 60 "Authorization: to be signed" "x-onlive-site-date: now"
