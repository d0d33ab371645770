<?php
// The few words of WordPress that the parts under test use, and the plugin's autoloader.
namespace {
    const ABSPATH = __DIR__ . '/';
    const HOUR_IN_SECONDS = 3600;
    const MINUTE_IN_SECONDS = 60;
    const DAY_IN_SECONDS = 86400;
    const MB_IN_BYTES = 1048576;
    $GLOBALS['salt'] = 'salt';
    function wp_salt(string $scheme): string
    {
        return $GLOBALS['salt'] . $scheme;
    }
    function __(string $text, string $domain): string
    {
        return $text;
    }
    function wp_parse_url(string $url): mixed
    {
        return parse_url($url);
    }
    function wp_json_encode(mixed $said, int $flags = 0): string|false
    {
        return json_encode($said, $flags);
    }
    spl_autoload_register(static function (string $class): void {
        $path = dirname(__DIR__) . '/customerhub/src/' . str_replace('\\', '/', substr($class, strlen('CustomerHub\\'))) . '.php';
        if (str_starts_with($class, 'CustomerHub\\') && is_file($path)) {
            require $path;
        }
    });
}
