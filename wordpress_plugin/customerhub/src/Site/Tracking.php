<?php
/** The line of the tracking script in every page of the site, and what the site's consent plugin says to it. */

namespace CustomerHub\Site;

use CustomerHub\Settings;
use const CustomerHub\FILE;
use const CustomerHub\VERSION;

final class Tracking
{
    public static function register(): void
    {
        add_action('wp_enqueue_scripts', [self::class, 'add']);
        add_filter('script_loader_tag', [self::class, 'loadLater'], 10, 2);
        add_filter('wp_consent_api_registered_' . plugin_basename(FILE), '__return_true');
    }

    public static function add(): void
    {
        $key = (string) Settings::get('site_key');
        $isStaff = Settings::get('skips_staff') && current_user_can('edit_posts');
        if (!preg_match('/^[0-9a-f]{20}$/D', $key) || Settings::publicUrl() === '' || $isStaff) {
            return;
        }
        if (function_exists('wp_has_consent')) {
            wp_enqueue_script('customerhub-consent', plugins_url('assets/consent.js', FILE), [], VERSION, false);
        }
        wp_enqueue_script('customerhub-track', Settings::publicUrl() . "/t/$key.js", [], null, false);
    }

    public static function loadLater(string $tag, string $handle): string
    {
        return $handle === 'customerhub-track' ? str_replace('<script ', '<script async ', $tag) : $tag;
    }
}
