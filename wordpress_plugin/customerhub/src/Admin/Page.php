<?php
/** What the pages share: the frame, notices that survive a redirect, forms that carry their nonce, boxes. All output is escaped here or by its caller. */

namespace CustomerHub\Admin;

final class Page
{
    public static function open(string $title, string $button = ''): void
    {
        if (!current_user_can(Menu::right())) {
            wp_die(esc_html__('You may not do that.', 'customerhub'), 403);
        }
        echo '<div class="wrap customerhub"><h1 class="wp-heading-inline">' . esc_html($title) . '</h1> ' . wp_kses_post($button) . '<hr class="wp-header-end">';
        self::notices();
    }

    public static function close(): void
    {
        echo '</div>';
    }

    /** @param string $kind success, warning, error, info */
    public static function tell(string $kind, string $sentence): void
    {
        $key = 'customerhub_told_' . get_current_user_id();
        $told = (array) get_transient($key);
        set_transient($key, [...array_filter($told), [$kind, $sentence]], 5 * MINUTE_IN_SECONDS);
    }

    private static function notices(): void
    {
        $key = 'customerhub_told_' . get_current_user_id();
        foreach (array_filter((array) get_transient($key)) as [$kind, $sentence]) {
            self::notice($kind, $sentence);
        }
        delete_transient($key);
    }

    public static function notice(string $kind, string $sentence): void
    {
        printf('<div class="notice notice-%s"><p>%s</p></div>', esc_attr($kind), esc_html($sentence));
    }

    /** The beginning of a form that posts to one of our actions. */
    public static function form(string $action, array $hidden = [], string $class = ''): void
    {
        printf('<form method="post" action="%s" class="%s">', esc_url(admin_url('admin-post.php')), esc_attr($class));
        wp_nonce_field("customerhub_$action");
        foreach (['action' => "customerhub_$action"] + $hidden as $name => $value) {
            printf('<input type="hidden" name="%s" value="%s">', esc_attr($name), esc_attr((string) $value));
        }
    }

    /** A form that is one button. */
    public static function button(string $action, string $label, array $hidden = [], string $class = 'button', string $ask = ''): void
    {
        self::form($action, $hidden, 'customerhub-button');
        printf('<button class="%s"%s>%s</button></form>', esc_attr($class), $ask === '' ? '' : ' data-ask="' . esc_attr($ask) . '"', esc_html($label));
    }

    public static function text(string $name, string $label, string $value, string $help = '', string $type = 'text', string $more = ''): void
    {
        $isRequired = str_contains($more, 'required');
        printf(
            '<tr><th scope="row"><label for="ch-%1$s">%2$s%8$s</label></th><td><input class="regular-text" id="ch-%1$s" name="%1$s" type="%3$s" value="%4$s" %5$s%6$s>%7$s</td></tr>',
            esc_attr($name),
            esc_html($label),
            esc_attr($type),
            esc_attr($value),
            in_array($more, ['', 'required', 'disabled'], true) ? esc_attr($more) : '',
            $help === '' ? '' : ' aria-describedby="ch-' . esc_attr($name) . '-help"',
            $help === '' ? '' : '<p class="description" id="ch-' . esc_attr($name) . '-help">' . esc_html($help) . '</p>',
            $isRequired ? ' <span class="customerhub-must" aria-hidden="true">*</span>' : ''
        );
    }

    public static function check(string $name, string $label, bool $is, string $help = ''): void
    {
        printf(
            '<tr><td class="customerhub-none"></td><td><label><input type="checkbox" name="%s" value="1" %s> %s</label>%s</td></tr>',
            esc_attr($name),
            checked($is, true, false),
            esc_html($label),
            $help === '' ? '' : '<p class="description">' . esc_html($help) . '</p>'
        );
    }

    /** @param array<string, string> $choices @param string[] $disabled keys that can be seen, not chosen */
    public static function select(string $name, string $id, array $choices, string $value, string $empty = '', array $disabled = [], array $hints = [], string $label = ''): void
    {
        printf('<select name="%s" id="%s"%s>', esc_attr($name), esc_attr($id), $label === '' ? '' : ' aria-label="' . esc_attr($label) . '"');
        if ($empty !== '') {
            printf('<option value="">%s</option>', esc_html($empty));
        }
        foreach ($choices as $key => $label) {
            printf(
                '<option value="%s"%s%s%s>%s</option>',
                esc_attr((string) $key),
                selected($value, (string) $key, false),
                in_array((string) $key, $disabled, true) && $value !== (string) $key ? ' disabled' : '',
                isset($hints[$key]) ? ' data-hint="' . esc_attr($hints[$key]) . '"' : '',
                esc_html($label)
            );
        }
        echo '</select>';
    }
}
