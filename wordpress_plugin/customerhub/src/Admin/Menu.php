<?php
/** The plugin's pages in wp-admin, their actions, the link in the list of plugins, and the welcome after it was switched on. */

namespace CustomerHub\Admin;

use CustomerHub\Forms\Plugins;
use CustomerHub\Health;
use CustomerHub\Integrations;
use CustomerHub\Sending\Schedule;
use CustomerHub\Settings;
use const CustomerHub\FILE;
use const CustomerHub\VERSION;

final class Menu
{
    public static function register(): void
    {
        add_action('admin_menu', [self::class, 'add']);
        add_action('admin_init', [self::class, 'welcome']);
        add_action('admin_enqueue_scripts', [self::class, 'assets']);
        add_action('admin_notices', [self::class, 'warn']);
        add_filter('plugin_action_links_' . plugin_basename(FILE), [self::class, 'link']);
        Actions::register();
    }

    /** Who may see and change all of this. */
    public static function right(): string
    {
        return (string) apply_filters('customerhub_capability', 'manage_options');
    }

    public static function add(): void
    {
        $right = self::right();
        add_menu_page('customerhub', 'customerhub', $right, 'customerhub', [IntegrationsPage::class, 'show'], 'dashicons-randomize', 58);
        add_submenu_page('customerhub', __('Integrations', 'customerhub'), __('Integrations', 'customerhub'), $right, 'customerhub', [IntegrationsPage::class, 'show']);
        add_submenu_page('customerhub', __('Submissions', 'customerhub'), __('Submissions', 'customerhub'), $right, 'customerhub-outbox', [OutboxPage::class, 'show']);
        add_submenu_page('customerhub', __('Settings', 'customerhub'), __('Settings', 'customerhub'), $right, 'customerhub-settings', [SettingsPage::class, 'show']);
        $step = '<span class="customerhub-step">' . esc_html(WelcomePage::done() . '/3') . '</span>';
        add_submenu_page('customerhub', __('Welcome', 'customerhub'), __('First steps', 'customerhub') . " $step", $right, 'customerhub-welcome', [WelcomePage::class, 'show']);
    }

    public static function welcome(): void
    {
        if (get_transient('customerhub_welcome') && current_user_can(self::right()) && !wp_doing_ajax() && !is_network_admin() && empty($_GET['activate-multi'])) {
            delete_transient('customerhub_welcome');
            wp_safe_redirect(admin_url('admin.php?page=customerhub-welcome'));
            exit;
        }
    }

    /** On the dashboard: leads wait, as our work is hours late and the pages of the site could not get it done either. */
    public static function warn(): void
    {
        if (get_current_screen()?->id !== 'dashboard' || !current_user_can(self::right()) || !Schedule::isOverdue(2 * HOUR_IN_SECONDS)) {
            return;
        }
        $found = Health::submissions();
        if ($found['status'] === 'critical') {
            printf('<div class="notice notice-error"><p><strong>%s</strong></p>%s<p>%s</p></div>', esc_html($found['label']), wp_kses_post($found['description']), wp_kses_post($found['actions']));
        }
    }

    public static function assets(string $page): void
    {
        if (str_contains($page, 'customerhub')) {
            wp_enqueue_style('customerhub', plugins_url('assets/admin.css', FILE), [], VERSION);
            wp_enqueue_script('customerhub', plugins_url('assets/admin.js', FILE), [], VERSION, true);
        }
    }

    public static function link(array $links): array
    {
        $ours = sprintf('<a href="%s">%s</a>', esc_url(admin_url('admin.php?page=customerhub-settings')), esc_html__('Settings', 'customerhub'));
        return [$ours, ...$links];
    }
}
