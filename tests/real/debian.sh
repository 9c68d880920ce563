# Sourced by the tests of real services: what they take from Debian, and a MariaDB of their own.

# packages LOG ITEM...: installs what is missing. An item is a package, or COMMAND:PACKAGE where another one may bring the command.
packages() {
  local log=$1 item made missing=(); shift
  for item in "$@"; do
    case $item in
      *:*) command -v "${item%%:*}" >/dev/null || missing+=("${item##*:}") ;;
      *) dpkg-query -W -f '${Status}' "$item" 2>/dev/null | grep -q 'ok installed' || missing+=("$item") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  # Debian starts a daemon when it installs one; ours are started by the tests, and nowhere else.
  made=; [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; made=1; }
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || { tail -20 "$log"; return 1; }
  [ -z "$made" ] || rm -f /usr/sbin/policy-rc.d
}

# free: a port nobody listens on.
free() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }

# mariadb_at FOLDER OPTION...: starts MariaDB on FOLDER/db.sock with a database and a user of the name `blog`. FOLDER/database.sh starts it again.
mariadb_at() {
  local folder=$1 user; shift
  # As whoever runs the test, root too: no other user has to reach the folder.
  user=$(id -un)
  mkdir -p "$folder/db"
  mariadb-install-db --user="$user" --datadir="$folder/db" --auth-root-authentication-method=normal --skip-test-db >"$folder/install-db.log" 2>&1
  printf '#!/bin/sh\nexec mariadbd --no-defaults --user=%s --datadir=%s/db --socket=%s/db.sock --pid-file=%s/db.pid --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci %s >>%s/db.log 2>&1\n' \
    "$user" "$folder" "$folder" "$folder" "$*" "$folder" >"$folder/database.sh"
  setsid sh "$folder/database.sh" &
  for _ in $(seq 300); do mariadb-admin --no-defaults -uroot -S "$folder/db.sock" ping >/dev/null 2>&1 && break; sleep 0.1; done
  mariadb --no-defaults -uroot -S "$folder/db.sock" -e "CREATE DATABASE blog CHARACTER SET utf8mb4; CREATE USER blog@'127.0.0.1' IDENTIFIED BY 'blog'; CREATE USER blog@localhost IDENTIFIED BY 'blog'; GRANT ALL ON blog.* TO blog@'127.0.0.1'; GRANT ALL ON blog.* TO blog@localhost;"
}
