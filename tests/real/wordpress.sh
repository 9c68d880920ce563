#!/usr/bin/env bash
# The whole life of entries against a real WordPress with MariaDB (both Debian), both started here on ports of their own.
# With $SLEEKSYNC_PICTURE (a file, PNG) chromium takes a picture of a post for a person to look at.
# The daemon is $SLEEKSYNC_PROGRAM, or built here. What is installed and the state go to $SLEEKSYNC_REAL (default: below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/real
cache=${SLEEKSYNC_REAL:-${TMPDIR:-/tmp}/sleeksync-real}/wordpress
mkdir -p "$cache"
. "$here/debian.sh"
if [ -z "${SLEEKSYNC_PROGRAM:-}" ]; then cargo build --locked; SLEEKSYNC_PROGRAM=$PWD/target/debug/sleeksync; fi
# Images come from a public host alone: the connector is given them by a program of its own.
cargo build --locked --workspace --features sleeksync-connectors/testing --bin real-images
export SLEEKSYNC_PROGRAM SLEEKSYNC_IMAGES=$PWD/target/debug/real-images

packages "$cache/apt.log" wordpress wordpress-theme-twentytwentythree mariadb-server php-cli php-mysql php-xml php-mbstring php-gd python3 curl

# A site of its own each time: nothing of an earlier run is taken for this one's.
run=$(mktemp -d "$cache/run.XXXXXX")
php=
finish() {
  # PHP's server leaves its workers behind; all of its group end. MariaDB by force: nothing of it is kept.
  [ -z "$php" ] || kill -9 -- "-$php" 2>/dev/null || true
  kill -9 $(cat "$run/db.pid" 2>/dev/null) 2>/dev/null || true
  wait 2>/dev/null || true
  [ -n "${SLEEKSYNC_KEEP:-}" ] || rm -rf "$run"
}
trap finish EXIT
port=$(free); url=http://127.0.0.1:$port
mariadb_at "$run" --skip-networking
# Debian's code with a configuration and content of this run. Application passwords are for https, or a local environment.
mkdir -p "$run/wp"; cp -rL /usr/share/wordpress/. "$run/wp/" 2>/dev/null || true
rm -f "$run/wp/wp-config.php"; mkdir -p "$run/wp/wp-content/uploads" "$run/wp/wp-content/mu-plugins"
cat >"$run/wp/wp-config.php" <<PHP
<?php
foreach (['NAME' => 'blog', 'USER' => 'blog', 'PASSWORD' => 'blog', 'HOST' => 'localhost:$run/db.sock', 'CHARSET' => 'utf8mb4', 'COLLATE' => ''] as \$name => \$value) define("DB_\$name", \$value);
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as \$key) define(\$key, md5('$run' . \$key));
define('WP_ENVIRONMENT_TYPE', 'local');
define('WP_HOME', '$url'); define('WP_SITEURL', '$url');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_CONTENT_DIR', '$run/wp/wp-content'); define('WP_CONTENT_URL', '$url/wp-content');
\$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
PHP
# No mail leaves; a type of posts of the site's own, as a theme or plugin brings one.
cat >"$run/wp/wp-content/mu-plugins/test.php" <<'PHP'
<?php
add_filter('pre_wp_mail', '__return_true');
add_action('init', fn() => register_post_type('release', ['public' => true, 'show_in_rest' => true, 'rest_base' => 'releases', 'supports' => ['title', 'editor'], 'label' => 'Releases']));
add_shortcode('danger', fn() => 'SHORTCODE RAN');
PHP
php "$here/wordpress/site.php" "$run/wp" install
PHP_CLI_SERVER_WORKERS=4 setsid php -d memory_limit=256M -d upload_max_filesize=32M -d post_max_size=32M -S "127.0.0.1:$port" -t "$run/wp" "$here/wordpress/router.php" >"$run/php.log" 2>&1 &
php=$!
for _ in $(seq 300); do [ "$(curl -s -m 5 -o "$run/probe" -w '%{http_code}' "$url/wp-json/wp/v2/types" || true)" = 200 ] && break; sleep 0.1; done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here python3 "$here/wordpress/life.py" "$url" "$run"
