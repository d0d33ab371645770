<?php
// Runs the PHP that comes on the standard input inside the WordPress of this folder and writes what it returns as JSON.
$_SERVER['HTTP_HOST'] = '127.0.0.1:' . getenv('WP_PORT');
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REQUEST_METHOD'] = 'GET';
$code = stream_get_contents(STDIN);
if (str_contains($code, 'wp_install(')) {
    define('WP_INSTALLING', true);
}
if (str_contains($code, 'is_admin')) {
    define('WP_ADMIN', true);
}
require getenv('WP_FOLDER') . '/wp-load.php';
ob_start();
$said = eval($code);
ob_end_clean();
echo "\n\x1e" . json_encode($said, JSON_INVALID_UTF8_SUBSTITUTE);
