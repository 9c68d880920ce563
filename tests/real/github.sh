#!/usr/bin/env bash
# Every request the GitHub connector makes in the tests of the workspace, against GitHub's own OpenAPI description (Prism, npm).
# Needs node and npm; what it installs goes to a cache folder ($SLEEKSYNC_REAL, default: below the system's temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real/prism-github
cache=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}/prism-github
operations=$PWD/connectors/github/operations.txt
mkdir -p "$cache"
if ! command -v npm >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm; fi
[ -d "$cache/node_modules/@stoplight/prism-cli" ] || npm install --silent --no-audit --no-fund --prefix "$cache" @stoplight/prism-cli@5.14.2
if [ ! -s "$cache/api.github.com.json" ]; then
  # The package unpacks to hundreds of MiB: one file of it is taken.
  (cd "$cache" && npm pack --silent @octokit/openapi@23.0.2 >/dev/null && tar xzf octokit-openapi-23.0.2.tgz --strip-components=2 package/generated/api.github.com.json && rm octokit-openapi-23.0.2.tgz)
fi
node "$here/spec.js" "$cache/api.github.com.json" "$operations" "$cache/spec.json"

# What the tests of a run before have written down is taken, else they run here: all of them, with and without a socket.
requests=${SLEEKSYNC_GITHUB_REQUESTS:-$cache/requests.jsonl}
if [ -z "${SLEEKSYNC_GITHUB_REQUESTS:-}" ]; then
  rm -f "$requests"
  SLEEKSYNC_GITHUB_REQUESTS=$requests cargo test --locked --workspace
fi

port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
home=$cache/node_modules/@stoplight/prism-http
[ -d "$home" ] || home=$cache/node_modules
PRISM_HOME=$home NODE_OPTIONS="-r $here/loud.js" node "$cache/node_modules/@stoplight/prism-cli/dist/index.js" mock -h 127.0.0.1 -p "$port" --errors "$cache/spec.json" >"$cache/prism.log" 2>&1 &
prism=$!
trap 'kill $prism 2>/dev/null || true' EXIT
for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done
node "$here/replay.js" "$requests" "http://127.0.0.1:$port" "$operations"
if grep -q AJV-COMPILE-ERROR "$cache/prism.log"; then echo "Prism could not compile a schema:"; grep AJV-COMPILE-ERROR "$cache/prism.log"; exit 1; fi
