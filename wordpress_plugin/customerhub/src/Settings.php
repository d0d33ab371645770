<?php
/** The settings, one option; CUSTOMERHUB_API_KEY and CUSTOMERHUB_BASE_URL in wp-config.php win over what was typed. */

namespace CustomerHub;

final class Settings
{
    private const OPTION = 'customerhub_settings';
    private const EMPTY = [
        'base_url' => '', 'api_key' => '', 'form_plugin' => '', 'alert_to' => '', 'site_key' => '', 'public_url' => '',
        'skips_staff' => true,
    ];

    public static function all(): array
    {
        return array_merge(self::EMPTY, (array) get_option(self::OPTION, []));
    }

    public static function get(string $name): mixed
    {
        return self::all()[$name];
    }

    /** Keep what is given; the rest stays. An API key is sealed before it is written. */
    public static function keep(array $given): void
    {
        if (array_key_exists('api_key', $given) && $given['api_key'] !== '') {
            $given['api_key'] = Sealing::seal($given['api_key'], 'api key');
        }
        update_option(self::OPTION, array_merge(self::all(), array_intersect_key($given, self::EMPTY)), false);
        Crm\Catalog::forget();
    }

    public static function baseUrl(): string
    {
        return self::tidyUrl(defined('CUSTOMERHUB_BASE_URL') ? (string) constant('CUSTOMERHUB_BASE_URL') : (string) self::get('base_url'));
    }

    /** Where visitors load our script, forms and lists from. */
    public static function publicUrl(): string
    {
        return self::tidyUrl((string) self::get('public_url')) ?: self::baseUrl();
    }

    /** "" when there is none, or when it was sealed with other salts (see isKeyLost). */
    public static function apiKey(): string
    {
        if (defined('CUSTOMERHUB_API_KEY')) {
            return (string) constant('CUSTOMERHUB_API_KEY');
        }
        return Sealing::open((string) self::get('api_key'), 'api key') ?? '';
    }

    public static function isKeyLost(): bool
    {
        return self::get('api_key') !== '' && self::apiKey() === '';
    }

    public static function isComplete(): bool
    {
        return self::baseUrl() !== '' && self::apiKey() !== '';
    }

    public static function alertTo(): string
    {
        return (string) self::get('alert_to') ?: (string) get_option('admin_email');
    }

    /** An address as people type or paste it: https:// is added when missing; a page of the CRM, the path of the API and slashes at the end go. */
    public static function tidyUrl(string $typed): string
    {
        $typed = trim($typed);
        if ($typed === '') {
            return '';
        }
        if (!preg_match('#^[a-z][a-z0-9+.-]*://#i', $typed)) {
            $typed = 'https://' . $typed;
        }
        return (string) preg_replace('#(?<![:/])(/crm(/[^?\#]*)?|/api(/v1)?)?/*$#', '', $typed);
    }

    /** A sentence about an address that cannot be used; "" for a good one. */
    public static function urlFault(string $url): string
    {
        $parts = wp_parse_url($url);
        if (!is_array($parts) || !in_array($parts['scheme'] ?? '', ['https', 'http'], true) || empty($parts['host']) || preg_match('#[\s<>"\\\\^`{|}]#', $url)) {
            return __('This is no web address. Write it as your browser shows it, such as https://crm.example.com.', 'customerhub');
        }
        if (isset($parts['user']) || isset($parts['query']) || isset($parts['fragment'])) {
            return __('Write the address alone, without a name, a “?” or a “#”.', 'customerhub');
        }
        return '';
    }

    public static function forget(): void
    {
        delete_option(self::OPTION);
        Crm\Catalog::forget();
    }
}
