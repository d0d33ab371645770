<?php
/** Settings: the connection, the website, and a report for whoever helps with a fault, without secrets. */

namespace CustomerHub\Admin;

use CustomerHub\Forms\Plugins;
use CustomerHub\Integrations;
use CustomerHub\Sending\Outbox;
use CustomerHub\Sending\Reconciliation;
use CustomerHub\Sending\Schedule;
use CustomerHub\Sending\Spill;
use CustomerHub\Settings;
use const CustomerHub\VERSION;

final class SettingsPage
{
    public static function show(): void
    {
        Page::open(__('Settings', 'customerhub'));
        $tabs = ['' => __('Connection', 'customerhub'), 'website' => __('Website', 'customerhub'), 'report' => __('Bug report', 'customerhub')];
        $tab = isset($_GET['tab']) && is_string($_GET['tab']) && isset($tabs[$_GET['tab']]) ? $_GET['tab'] : '';
        echo '<nav class="nav-tab-wrapper">';
        foreach ($tabs as $key => $label) {
            printf(
                '<a class="nav-tab%s" href="%s"%s>%s</a>',
                $key === $tab ? ' nav-tab-active' : '',
                esc_url(admin_url('admin.php?page=customerhub-settings' . ($key === '' ? '' : "&tab=$key"))),
                $key === $tab ? ' aria-current="page"' : '',
                esc_html($label)
            );
        }
        echo '</nav>';
        match ($tab) {
            '' => self::connection(),
            'website' => self::website(),
            'report' => self::report(),
        };
        Page::close();
    }

    private static function connection(): void
    {
        Page::form('settings');
        echo '<table class="form-table" role="presentation">';
        self::fields();
        Page::text('alert_to', __('Alerts go to', 'customerhub'), Settings::alertTo(), __('Told when submissions were given up or are missing in the CRM; at most once a day.', 'customerhub'), 'email');
        echo '</table><p class="submit"><button class="button button-primary">' . esc_html__('Save and test', 'customerhub') . '</button></p></form>';
        echo '<h2>' . esc_html__('Tools', 'customerhub') . '</h2><div class="customerhub-tools">';
        Page::button('test', __('Test connection', 'customerhub'));
        Page::button('purge', __('Purge cache', 'customerhub'));
        Page::button('reset', __('Reset', 'customerhub'), [], 'button customerhub-danger', __('Remove all settings and integrations?', 'customerhub'));
        echo '</div>';
    }

    /** The rows of the connection, here and in the first steps. */
    public static function fields(): void
    {
        $isFixed = defined('CUSTOMERHUB_BASE_URL');
        Page::text('base_url', __('API base URL', 'customerhub'), Settings::baseUrl(), $isFixed
            ? __('Set in wp-config.php.', 'customerhub')
            : __('Where you open the CRM, such as crm.example.com; https:// is added when missing.', 'customerhub'), 'text', $isFixed ? 'disabled' : '');
        $isSet = Settings::apiKey() !== '';
        $help = $isSet
            ? __('A key is kept, sealed. Leave empty to keep it.', 'customerhub')
            : __('Made in the CRM under Settings → API keys. The right to create leads is enough.', 'customerhub');
        if (Settings::isKeyLost()) {
            $help = __('The key cannot be read any more, because the salts of this site were changed. Enter it again.', 'customerhub');
        }
        $isFixed = defined('CUSTOMERHUB_API_KEY');
        Page::text('api_key', __('API key', 'customerhub'), '', $isFixed ? __('Set in wp-config.php.', 'customerhub') : $help, 'password', $isFixed ? 'disabled' : '');
        self::plugin();
    }

    private static function plugin(): void
    {
        $choices = [];
        $asleep = [];
        foreach (Plugins::all() as $key => $plugin) {
            $isActive = $plugin->isActive();
            /* translators: %s: the name of a plugin */
            $choices[$key] = $isActive ? $plugin->label() : sprintf(__('%s (deactivated)', 'customerhub'), $plugin->label());
            if (!$isActive) {
                $asleep[] = $key;
            }
        }
        echo '<tr><th scope="row"><label for="ch-form_plugin">' . esc_html__('Form plugin', 'customerhub') . '</label></th><td>';
        $awake = array_keys(Plugins::active());
        $chosen = (string) Settings::get('form_plugin') ?: (count($awake) === 1 ? $awake[0] : '');
        Page::select('form_plugin', 'ch-form_plugin', $choices, $chosen, __('Choose …', 'customerhub'), $asleep);
        echo '</td></tr>';
    }

    private static function website(): void
    {
        Page::form('website');
        echo '<table class="form-table" role="presentation">';
        Page::text('site_key', __('Key of the followed site', 'customerhub'), (string) Settings::get('site_key'), __('From the page “Snippet” of the site in the CRM; empty: no tracking. Nothing personal is noted before the visitor agreed.', 'customerhub'));
        Page::text('public_url', __('Public address', 'customerhub'), (string) Settings::get('public_url'), __('Where visitors load forms, events and the script from; only when it is another than the API base URL.', 'customerhub'));
        Page::check('skips_staff', __('Do not follow people who write on this site', 'customerhub'), (bool) Settings::get('skips_staff'));
        echo '</table><p class="submit"><button class="button button-primary">' . esc_html__('Save', 'customerhub') . '</button></p></form>';
        echo '<h2>' . esc_html__('Blocks and shortcodes', 'customerhub') . '</h2><table class="widefat striped customerhub-narrow"><tbody>';
        foreach ([
            '[customerhub_form key="…"]' => __('A website form made in the CRM', 'customerhub'),
            '[customerhub_events category="…" limit="5"]' => __('The list of coming events', 'customerhub'),
            '[customerhub_survey code="…" text="…"]' => __('A link to a survey', 'customerhub'),
        ] as $code => $label) {
            printf('<tr><td><code>%s</code></td><td>%s</td></tr>', esc_html($code), esc_html($label));
        }
        echo '</tbody></table>';
        echo '<p class="description">' . esc_html(sprintf(
            /* translators: %s: the address of this site */
            __('A form that names sites is shown only on those, and events only on sites that the portal of the CRM names: write %s there.', 'customerhub'),
            preg_replace('#^(https?://[^/]+).*#', '$1', home_url())
        )) . '</p>';
    }

    private static function report(): void
    {
        echo '<p>' . esc_html__('Copy this when you report a fault. It holds no key, no salt and nothing of your visitors.', 'customerhub') . '</p>';
        printf('<textarea class="large-text code" rows="22" readonly aria-label="%s">%s</textarea>', esc_attr__('Bug report', 'customerhub'), esc_textarea(self::told()));
    }

    private static function told(): string
    {
        global $wpdb, $wp_version;
        $counts = Outbox::counts();
        $last = Reconciliation::last();
        $lines = [
            'customerhub' => VERSION, 'WordPress' => $wp_version, 'PHP' => PHP_VERSION, 'Database' => $wpdb->db_server_info(),
            'Site' => home_url(), 'Multisite' => is_multisite() ? 'yes' : 'no', 'API base URL' => Settings::baseUrl() ?: '-',
            'API key' => Settings::apiKey() !== '' ? 'set' : (Settings::isKeyLost() ? 'unreadable (salts changed)' : 'not set'),
            'Form plugin' => (string) Settings::get('form_plugin') ?: '-',
            'Active form plugins' => implode(', ', array_keys(Plugins::active())) ?: '-',
            'Integrations' => (string) count(Integrations::all()),
            'Submissions' => $counts === null ? 'table cannot be read' : "waiting {$counts['waiting']}, sent {$counts['sent']}, given up {$counts['failed']}",
            'Waiting in a file' => (string) Spill::count(),
            'Last daily check' => $last === null ? '-' : gmdate('Y-m-d H:i', $last['at']) . " UTC, here {$last['here']}, there {$last['there']}",
            'DISABLE_WP_CRON' => defined('DISABLE_WP_CRON') && DISABLE_WP_CRON ? 'yes' : 'no',
            'Scheduled work ran' => gmdate('Y-m-d H:i', (int) get_option(Schedule::RAN, 0)) . ' UTC',
            'Sends after the answer' => function_exists('fastcgi_finish_request') ? 'yes' : 'by cron',
            'sodium' => extension_loaded('sodium') ? 'extension' : 'WordPress',
            'Active plugins' => implode(', ', (array) get_option('active_plugins')),
        ];
        return implode("\n", array_map(static fn($name, $value) => "$name: $value", array_keys($lines), $lines));
    }
}
