# To be sourced by a script that tries a running server; $1 is the server's binary, $2 where the Python environment
# is or will be. Makes that, starts a server with the demo on a free port and a store of its own, and ends it with the
# script. Sets `muster`, `venv`, `folder` (gone afterwards), `database` and `url`.
muster=$(realpath "$1")
venv=$(realpath -m "$2")
requirements=$(realpath "$(dirname "${BASH_SOURCE[0]}")")/requirements.txt

if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/"
fi

folder=$(mktemp -d)
database="sqlite:$folder/muster.db"
"$muster" serve --demo --listen 127.0.0.1:0 --rate-limits off --log warn --database "$database" \
    --webhook-allow 127.0.0.1 --webhook-http on >"$folder/demo" 2>"$folder/log" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in {1..100}; do
    grep -q '^Every call' "$folder/demo" && break
    kill -0 $server || { cat "$folder/log"; exit 1; }
    sleep 0.1
done
url=$(awk '/ready at/ { print $NF }' "$folder/demo")

# What `credential create` shows, as JSON, for a dialect and its options.
credential() {
    "$muster" credential create --database "$database" --tenant "Demo Company" --name checker --json --dialect "$@"
}
# A text of a JSON object.
part() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
