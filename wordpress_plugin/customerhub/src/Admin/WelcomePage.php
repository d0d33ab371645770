<?php
/** The first steps, one after the other: a form plugin, the connection, the first integration. */

namespace CustomerHub\Admin;

use CustomerHub\Forms\Plugins;
use CustomerHub\Integrations;
use CustomerHub\Settings;

final class WelcomePage
{
    /** How many of the three steps are done. */
    public static function done(): int
    {
        return (int) (bool) Plugins::active() + (int) Settings::isComplete() + (int) (bool) Integrations::all();
    }

    public static function show(): void
    {
        Page::open(__('Welcome to customerhub', 'customerhub'));
        echo '<p>' . esc_html__('Forms of this site become leads, potentials or contacts. Visitors never wait for the CRM, and nothing is lost while it is away.', 'customerhub') . '</p><ol class="customerhub-steps">';
        $active = array_map(static fn($one) => $one->label(), Plugins::active());
        self::step((bool) $active, __('A form plugin', 'customerhub'), static function () use ($active) {
            $known = implode(', ', array_map(static fn($one) => $one->label(), Plugins::all()));
            echo '<p>' . esc_html($active
                /* translators: %s: names of plugins */
                ? sprintf(__('Found: %s.', 'customerhub'), implode(', ', $active))
                /* translators: %s: names of plugins */
                : sprintf(__('None is active. Install one of these: %s.', 'customerhub'), $known)) . '</p>';
        });
        self::step(Settings::isComplete(), __('The connection', 'customerhub'), static function () {
            Page::form('settings', ['from' => 'welcome', 'alert_to' => Settings::alertTo()]);
            echo '<table class="form-table" role="presentation">';
            SettingsPage::fields();
            echo '</table><p><button class="button button-primary">' . esc_html__('Save and test', 'customerhub') . '</button></p></form>';
        });
        self::step((bool) Integrations::all(), __('The first integration', 'customerhub'), static function () {
            $isReady = Plugins::active() && Settings::isComplete();
            echo '<p>' . esc_html__('Say which form becomes what, and which field goes where.', 'customerhub') . '</p>';
            if ($isReady) {
                printf('<p><a class="button button-primary" href="%s">%s</a></p>', esc_url(admin_url('admin.php?page=customerhub&edit=new')), esc_html__('Add an integration', 'customerhub'));
            }
        });
        echo '</ol>';
        Page::close();
    }

    private static function step(bool $isDone, string $title, callable $body): void
    {
        printf(
            '<li class="%s"><h2>%s %s</h2>',
            $isDone ? 'is-done' : '',
            esc_html($title),
            $isDone ? '<span class="customerhub-badge is-sent">' . esc_html__('done', 'customerhub') . '</span>' : ''
        );
        $body();
        echo '</li>';
    }
}
