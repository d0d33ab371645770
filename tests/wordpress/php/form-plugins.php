<?php
/**
 * Plugin Name: Form plugins as documented
 * Description: Stands in for form plugins that cannot be had from a registry: their documented functions, and their hooks with the documented
 * arguments, fired through REST. What is really installed is not stood in for.
 */

const CH_FORM = ['id' => '7', 'title' => 'Contact us'];
const CH_FIELDS = ['your-name' => true, 'your-email' => true, 'company' => false, 'rating' => false, 'born' => false, 'news' => false];

// What PHP-FPM has and PHP's own server has not: tests ask for it by a header.
if (isset($_SERVER['HTTP_X_LIKE_FPM']) && !function_exists('fastcgi_finish_request')) {
    function fastcgi_finish_request(): bool
    {
        return update_option('ch_answered', did_action('shutdown'));
    }
}

// As on hosts where a site may not call itself, until a test wants it: nothing happens between its steps.
add_filter('pre_http_request', static fn($found, $asked, $url) => !$asked['blocking'] && str_starts_with($url, home_url('/')) && !get_option('ch_loopback')
    ? new WP_Error('blocked', 'No loopback') : $found, 10, 3);

add_action('plugins_loaded', static function (): void {
    if (!class_exists('WPCF7_ContactForm')) {
        require __DIR__ . '/contact-form-7.php';
    }
    foreach (explode(',', (string) get_option('ch_stubs', '')) as $one) {
        $file = __DIR__ . "/$one.php";
        if ($one !== '' && is_file($file)) {
            require $file;
        }
    }
}, 1);

// {"hook": name, "arguments": […]}: an argument {"__object": {…}} is an object with these values, {"__record": {…}} one that answers get().
add_action('rest_api_init', static function (): void {
    register_rest_route('ch-test/v1', '/fire', ['methods' => 'POST', 'permission_callback' => '__return_true', 'callback' => static function ($request) {
        $begun = hrtime(true);
        do_action($request['hook'], ...array_map('ch_argument', $request['arguments']));
        return ['status' => 'sent', 'milliseconds' => (hrtime(true) - $begun) / 1e6];
    }]);
    // What the tests ask of the site; this plugin exists on machines of tests only, and its server listens on loopback.
    register_rest_route('ch-test/v1', '/ask', ['methods' => 'POST', 'permission_callback' => '__return_true', 'callback' => static fn($request) => [
        'said' => eval($request['code']),
    ]]);
});

function ch_argument(mixed $said): mixed
{
    if (is_array($said) && isset($said['__record'])) {
        return new class ($said['__record']) {
            public function __construct(private array $held)
            {
            }

            public function get(string $name): mixed
            {
                return $this->held[$name] ?? null;
            }

            public function get_form_settings(string $name): mixed
            {
                return $this->held['settings'][$name] ?? null;
            }
        };
    }
    if (is_array($said) && isset($said['__object'])) {
        return (object) array_map('ch_argument', $said['__object']);
    }
    return is_array($said) ? array_map('ch_argument', $said) : $said;
}
