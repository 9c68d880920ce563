<?php
// site.php WORDPRESS COMMAND [ARGUMENTS]: what a person does at a site, without wp-cli. Prints what it made.
//   install URL | user LOGIN ROLE | password LOGIN | edit ID TITLE [AS] | trash ID | delete ID | status ID STATUS
define('WP_INSTALLING', $argv[2] === 'install');
$_SERVER += ['HTTP_HOST' => '127.0.0.1', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET'];
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
[, , $command] = $argv;
$rest = array_slice($argv, 3);
switch ($command) {
    case 'install':
        wp_install('sleeksync', 'admin', 'admin@example.test', true, '', 'not-used-here');
        update_option('permalink_structure', '/%postname%/');
        flush_rewrite_rules(false);
        break;
    case 'user':
        echo wp_insert_user(['user_login' => $rest[0], 'user_pass' => wp_generate_password(), 'user_email' => "$rest[0]@example.test", 'role' => $rest[1]]);
        break;
    case 'password':
        $user = get_user_by('login', $rest[0]);
        WP_Application_Passwords::delete_all_application_passwords($user->ID);
        echo WP_Application_Passwords::create_new_application_password($user->ID, ['name' => 'sleeksync'])[0];
        break;
    case 'edit':
        wp_set_current_user(get_user_by('login', $rest[2] ?? 'admin')->ID);
        wp_update_post(['ID' => $rest[0], 'post_title' => $rest[1]]);
        break;
    case 'trash':
        wp_trash_post($rest[0]);
        break;
    case 'delete':
        wp_delete_post($rest[0], true);
        break;
    case 'status':
        wp_update_post(['ID' => $rest[0], 'post_status' => $rest[1]]);
        break;
}
