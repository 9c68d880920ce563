#!/usr/bin/env bash
# The connector `postgres` against a real PostgreSQL (Debian), started here on a port of its own, with TLS of an authority made for this run:
# the scenarios of every database, lost connections, certificates that must and must not be taken, the connector's rules, and the daemon from
# webhook to row: the cases of `tests/database.rs`, with commits that are cut, and a backlog.
# The daemon is $SLEEKSYNC_PROGRAM, or built here. What is installed and the state go to $SLEEKSYNC_REAL (default: below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real
cache=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}/postgres
mkdir -p "$cache"
. "$here/debian.sh"
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
cargo build --locked -p sleeksync-connectors --features testing --bin real-postgres
export SLEEKSYNC_PROGRAM

packages "$cache/apt.log" postgresql python3 openssl
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)

# A server of its own each time: nothing of an earlier run is taken for this one's.
run=$(mktemp -d "$cache/run.XXXXXX")
chmod 755 "$(dirname "$cache")" "$cache" "$run"
server=
finish() {
  [ -z "$server" ] || kill -QUIT "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  [ -n "${SLEEKSYNC_KEEP:-}" ] || rm -rf "$run"
}
trap finish EXIT
port=$(free)

# An authority, a certificate of it for localhost alone, and an authority that vouches for nobody.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout "$run/ca.key" -out "$run/ca.pem" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout "$run/stranger.key" -out "$run/stranger.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$run/server.key" -out "$run/server.csr" 2>/dev/null
openssl x509 -req -in "$run/server.csr" -CA "$run/ca.pem" -CAkey "$run/ca.key" -CAcreateserial -days 2 -out "$run/server.pem" \
  -extfile <(printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n') 2>/dev/null

# PostgreSQL refuses to run as root.
as=(); if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid postgres --regid postgres --init-groups); chown postgres "$run" "$run/server.key"; fi
chmod 600 "$run/server.key"
echo secret >"$run/password"; chmod 644 "$run/password"
(cd / && "${as[@]}" "$bin/initdb" -D "$run/data" -U ann -E UTF8 --locale=C.UTF-8 -A scram-sha-256 --pwfile "$run/password" --no-sync >"$run/initdb.log" 2>&1)
cat >"$run/start" <<SH
#!/bin/sh
cd / && exec $bin/postgres -D $run/data -h 127.0.0.1 -p $port -k "" -c ssl=on -c ssl_cert_file=$run/server.pem -c ssl_key_file=$run/server.key -c fsync=off >>$run/server.log 2>&1
SH
"${as[@]}" sh "$run/start" &
server=$!
for _ in $(seq 300); do "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break; sleep 0.1; done

export SLEEKSYNC_POSTGRES_URL=postgres://ann:secret@127.0.0.1:$port/postgres
target/debug/real-postgres

suite() { # suite CARGO-TEST-ARGUMENTS...: tests that take this server where there is one. None at all, or one without it, is a failure.
  cargo test --workspace --locked "$@" -- --nocapture 2>&1 | tee "$run/suite.log"
  grep -qE '^test result: ok\. [1-9]' "$run/suite.log" && ! grep -q 'there is no server' "$run/suite.log"
}
suite --lib postgres::fixture::conformance
suite --test database
tls() { target/debug/real-postgres "postgres://ann:${3:-secret}@$1:$port/postgres?$2"; }
expect() { # expect WHAT BEGINNING SAID
  case $3 in "$2"*) echo "$1 ... ok ($3)" ;; *) echo "$1 ... FAILED: expected $2, found $3"; exit 1 ;; esac
}
expect "the cases ran over this server" "t" "$("$bin/psql" -XAt "$SLEEKSYNC_POSTGRES_URL" -c 'SELECT count(*) > 1000 FROM odd_values.feedback, histories.feedback')"
expect "a certificate of our authority for this host is taken" "done" "$(tls localhost "sslmode=verify-full&sslrootcert=$run/ca.pem")"
expect "one of an authority we do not know is not" "transient" "$(tls localhost "sslmode=verify-full&sslrootcert=$run/stranger.pem")"
expect "nor where sslmode=require says less" "transient" "$(tls localhost "sslmode=require&sslrootcert=$run/stranger.pem")"
expect "nor by the authorities of this machine" "transient" "$(tls localhost "sslmode=verify-full")"
expect "nor one that is for another host" "transient" "$(tls 127.0.0.1 "sslmode=verify-full&sslrootcert=$run/ca.pem")"
expect "a wrong password stops the connector" "unauthorized" "$(tls 127.0.0.1 "sslmode=disable" wrong)"
expect "a database that is not there too" "unauthorized" "$(target/debug/real-postgres "postgres://ann:secret@127.0.0.1:$port/nowhere")"

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here python3 "$here/postgres/life.py" "$run" "$bin/psql"
