<?php
// For PHP's own server: files are files, every other address is WordPress'.
$root = $_SERVER['DOCUMENT_ROOT'];
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = realpath($root . $path);
if ($file && is_file($file) && str_starts_with($file, $root) && !str_ends_with($file, '.php')) {
    return false;
}
$script = $file && is_file($file) && str_starts_with($file, $root) ? $file : "$root/index.php";
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = substr($script, strlen($root));
$_SERVER['SCRIPT_FILENAME'] = $script;
chdir(dirname($script));
require $script;
