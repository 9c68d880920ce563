#!/usr/bin/env bash
# The life of events at a receiver that verifies them with the npm package `standardwebhooks`, and at a real Node-RED, both started here.
# The daemon is $SLEEKSYNC_PROGRAM, or built here. What is installed and the state go to $SLEEKSYNC_REAL (default: below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real/webhook
cache=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}/webhook
mkdir -p "$cache"
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
export SLEEKSYNC_PROGRAM

missing=()
for pair in npm:npm python3:python3 curl:curl; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}"); done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1
fi
if [ ! -e "$cache/installed" ]; then
  npm install --silent --no-audit --no-fund --prefix "$cache" standardwebhooks@1.1.1 node-red@4.1.8 >"$cache/install.log" 2>&1
  touch "$cache/installed"
fi

run=$(mktemp -d "$cache/run.XXXXXX")
pids=()
finish() {
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${SLEEKSYNC_KEEP:-}" ] || rm -rf "$run"
}
trap finish EXIT
free() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
receiver=$(free); red=$(free)
NODE_PATH=$cache/node_modules node "$here/receiver.js" "$receiver" >"$run/receiver.log" 2>&1 & pids+=($!)
mkdir -p "$run/red"; cp "$here/flows.json" "$run/red/flows.json"
printf 'module.exports = { flowFile: "flows.json", uiHost: "127.0.0.1", uiPort: %s, httpAdminRoot: false, credentialSecret: false };\n' "$red" >"$run/red/settings.js"
node "$cache/node_modules/node-red/red.js" --userDir "$run/red" --settings "$run/red/settings.js" >"$run/red.log" 2>&1 & pids+=($!)
for url in "http://127.0.0.1:$receiver/seen" "http://127.0.0.1:$red/seen"; do
  for _ in $(seq 300); do [ "$(curl -s -m 5 -o "$run/probe" -w '%{http_code}' "$url" || true)" = 200 ] && break; sleep 0.2; done
  curl -sf -m 5 "$url" >/dev/null || { tail -20 "$run"/*.log; exit 1; }
done
PYTHONPATH=$PWD/tests/real python3 "$here/life.py" "$run" "$receiver" "$red"
