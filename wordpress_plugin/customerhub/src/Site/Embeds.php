<?php
/** Blocks and shortcodes: our website forms, the list of events, the link to a survey. The address is that of the settings, never of an author. */

namespace CustomerHub\Site;

use CustomerHub\Settings;
use const CustomerHub\FILE;
use const CustomerHub\VERSION;

final class Embeds
{
    /** Name → what draws it; the attributes are texts. */
    private const ALL = [
        'form' => ['key' => ''],
        'events' => ['category' => '', 'lang' => '', 'limit' => '', 'height' => '600'],
        'survey' => ['code' => '', 'text' => ''],
    ];

    public static function register(): void
    {
        add_action('init', [self::class, 'add']);
    }

    public static function add(): void
    {
        wp_register_script('customerhub-blocks', plugins_url('assets/blocks.js', FILE), ['wp-blocks', 'wp-element', 'wp-block-editor', 'wp-components', 'wp-i18n'], VERSION, true);
        wp_localize_script('customerhub-blocks', 'customerhubWords', [
            'form' => __('Website form (customerhub)', 'customerhub'), 'events' => __('Events (customerhub)', 'customerhub'),
            'survey' => __('Survey link (customerhub)', 'customerhub'), 'key' => __('Key of the form', 'customerhub'),
            'formHelp' => __('The key, the address or the whole line that the CRM shows for the form.', 'customerhub'),
            'surveyHelp' => __('The open link of the survey in the CRM, or the code at its end.', 'customerhub'),
            'eventsHelp' => __('Coming events that are public in the CRM. Leave a box empty for all.', 'customerhub'),
            'category' => __('Category', 'customerhub'), 'lang' => __('Language, such as fi', 'customerhub'),
            'limit' => __('How many at most', 'customerhub'), 'height' => __('Height in pixels', 'customerhub'),
            'code' => __('Code of the survey', 'customerhub'), 'text' => __('Text of the link', 'customerhub'),
        ]);
        foreach (self::ALL as $name => $attributes) {
            $draw = static fn($given) => self::draw($name, (array) $given);
            add_shortcode("customerhub_$name", $draw);
            register_block_type("customerhub/$name", [
                'api_version' => 2, 'editor_script' => 'customerhub-blocks', 'render_callback' => static fn($given) => self::boxed($draw($given)),
                'attributes' => array_map(static fn($one) => ['type' => 'string', 'default' => $one], $attributes),
            ]);
        }
    }

    private static function draw(string $name, array $given): string
    {
        $said = array_map('strval', shortcode_atts(self::ALL[$name], $given));
        $base = Settings::publicUrl();
        if ($base === '') {
            return self::complain(__('customerhub is not connected yet.', 'customerhub'));
        }
        return match ($name) {
            'form' => self::form($base, $said['key']),
            'events' => self::events($base, $said),
            'survey' => self::survey($base, $said['code'], $said['text']),
        };
    }

    private static function form(string $base, string $key): string
    {
        $key = self::within($key, 'form');
        if (!preg_match('/^[A-Za-z0-9_-]{6,80}$/D', $key)) {
            return self::complain(__('Give the key of the website form.', 'customerhub'));
        }
        return sprintf('<div class="customerhub-form"><script async src="%s"></script></div>', esc_url("$base/form/$key.js"));
    }

    private static function events(string $base, array $said): string
    {
        $asked = array_filter(['category' => $said['category'], 'lang' => $said['lang'], 'limit' => $said['limit']], static fn($one) => $one !== '');
        $height = max(200, min(4000, (int) $said['height']));
        wp_enqueue_script('customerhub-events', "$base/portal/embed/events.js", [], null, true);
        return sprintf(
            '<iframe class="customerhub-events" src="%s" title="%s" loading="lazy" width="100%%" height="%d" style="border:0"></iframe>',
            esc_url("$base/portal/embed/events" . ($asked ? '?' . http_build_query($asked) : '')),
            esc_attr__('Events', 'customerhub'),
            $height
        );
    }

    private static function survey(string $base, string $code, string $text): string
    {
        $code = self::within($code, 's');
        if (!preg_match('/^[A-Za-z0-9_-]{1,80}$/D', $code)) {
            return self::complain(__('Give the code at the end of the survey’s address.', 'customerhub'));
        }
        return sprintf('<a class="customerhub-survey" href="%s">%s</a>', esc_url("$base/s/$code"), esc_html($text !== '' ? $text : __('Answer the survey', 'customerhub')));
    }

    /** The key in an address or a line of the CRM that was pasted whole; anything else as it is. */
    private static function within(string $said, string $path): string
    {
        return preg_match("#/$path/([A-Za-z0-9_-]+)#", $said, $found) ? $found[1] : trim($said);
    }

    /** A block is a box of the page's column, whatever stands in it. */
    private static function boxed(string $drawn): string
    {
        return $drawn === '' ? '' : '<div ' . get_block_wrapper_attributes() . ">$drawn</div>";
    }

    /** What is missing is told to those who can mend it; visitors see nothing. */
    private static function complain(string $sentence): string
    {
        return current_user_can('edit_posts') ? '<p class="customerhub-missing"><em>' . esc_html($sentence) . '</em></p>' : '';
    }
}
