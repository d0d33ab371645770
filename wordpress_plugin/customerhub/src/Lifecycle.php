<?php
/** What is made when the plugin is switched on, cleared when it is switched off, and forgotten when it is deleted. */

namespace CustomerHub;

final class Lifecycle
{
    public static function activate(): void
    {
        Sending\Outbox::make();
        Sending\Schedule::set();
        if (!Settings::isComplete()) {
            set_transient('customerhub_welcome', 1, 60);
        }
    }

    public static function deactivate(): void
    {
        Sending\Schedule::clear();
    }

    /** After an update the table may be older than the code; a site of a network may have none yet. */
    public static function keepUp(): void
    {
        if (get_option('customerhub_version') !== VERSION) {
            Sending\Outbox::make();
            Sending\Schedule::set();
            update_option('customerhub_version', VERSION);
        }
    }

    public static function forget(): void
    {
        global $wpdb;
        Sending\Schedule::clear();
        Sending\Spill::remove();
        $wpdb->query('DROP TABLE IF EXISTS ' . Sending\Outbox::table());
        $ours = $wpdb->esc_like('customerhub_') . '%';
        $passing = [$wpdb->esc_like('_transient_customerhub_') . '%', $wpdb->esc_like('_transient_timeout_customerhub_') . '%'];
        foreach ([$ours, ...$passing] as $name) {
            foreach ($wpdb->get_col($wpdb->prepare("SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s", $name)) as $one) {
                delete_option($one);
            }
        }
    }
}
