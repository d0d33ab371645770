<?php
/** The three checks in Site Health: the CRM answers, a form plugin is chosen and active, no submission is stuck. */

namespace CustomerHub;

use CustomerHub\Sending\Outbox;
use CustomerHub\Sending\Reconciliation;
use CustomerHub\Sending\Schedule;
use CustomerHub\Sending\Sender;
use CustomerHub\Sending\Spill;

final class Health
{
    public static function register(): void
    {
        add_filter('site_status_tests', [self::class, 'add']);
    }

    public static function add(array $tests): array
    {
        $tests['direct']['customerhub_api'] = ['label' => __('customerhub: connection', 'customerhub'), 'test' => [self::class, 'api']];
        $tests['direct']['customerhub_forms'] = ['label' => __('customerhub: form plugin', 'customerhub'), 'test' => [self::class, 'forms']];
        $tests['direct']['customerhub_submissions'] = ['label' => __('customerhub: submissions', 'customerhub'), 'test' => [self::class, 'submissions']];
        return $tests;
    }

    public static function api(): array
    {
        $page = 'customerhub-settings';
        if (!Settings::isComplete() && !Settings::isKeyLost()) {
            $why = __('The API base URL or the API key is not set.', 'customerhub');
            return self::result('api', 'critical', __('customerhub is not connected', 'customerhub'), $why, $page);
        }
        $found = Crm\Connection::test(null, null, 5);
        return $found->isGood
            ? self::result('api', 'good', __('customerhub can be reached', 'customerhub'), $found->sentence, $page)
            : self::result('api', 'critical', __('customerhub cannot be reached', 'customerhub'), $found->sentence, $page);
    }

    public static function forms(): array
    {
        $chosen = Forms\Plugins::get((string) Settings::get('form_plugin'));
        if ($chosen === null) {
            $why = __('Choose the form plugin whose forms go to the CRM.', 'customerhub');
            return self::result('forms', 'critical', __('customerhub: no form plugin is chosen', 'customerhub'), $why, 'customerhub-settings');
        }
        $needed = [$chosen->key() => $chosen];
        foreach (array_filter(Integrations::all(), static fn($one) => $one['active']) as $one) {
            $plugin = Forms\Plugins::get($one['source']);
            if ($plugin !== null) {
                $needed[$plugin->key()] = $plugin;
            }
        }
        $asleep = array_filter($needed, static fn($one) => !$one->isActive());
        if ($asleep) {
            /* translators: %s: names of plugins */
            $why = sprintf(__('Not active: %s. Its forms create nothing in the CRM.', 'customerhub'), implode(', ', array_map(static fn($one) => $one->label(), $asleep)));
            return self::result('forms', 'critical', __('customerhub: the form plugin is not active', 'customerhub'), $why, 'customerhub-settings');
        }
        $names = implode(', ', array_map(static fn($one) => $one->label(), $needed));
        return self::result('forms', 'good', __('customerhub: the form plugin is active', 'customerhub'), $names, 'customerhub');
    }

    public static function submissions(): array
    {
        [$status, $label, $why] = self::standing();
        return self::result('submissions', $status, $label, $why, 'customerhub-outbox');
    }

    /** @return array{string, string, string} status, label, sentence */
    private static function standing(): array
    {
        $counts = Outbox::counts();
        $spilled = Spill::count();
        if ($counts === null || $spilled > 0) {
            /* translators: %d: how many */
            $why = sprintf(_n('%d submission waits in a file; it is brought in once the database takes it.', '%d submissions wait in a file; they are brought in once the database takes them.', $spilled, 'customerhub'), $spilled);
            return ['critical', __('customerhub: the database takes no submissions', 'customerhub'), $why];
        }
        if ($counts['failed'] > 0) {
            /* translators: %d: how many */
            $why = sprintf(_n('%d submission was given up. It is kept: read why, mend it, send it again.', '%d submissions were given up. They are kept: read why, mend it, send them again.', $counts['failed'], 'customerhub'), $counts['failed']);
            return ['critical', __('customerhub: submissions were given up', 'customerhub'), $why];
        }
        $late = $counts['waiting'] > 0 && $counts['oldest_due'] < time() - 2 * HOUR_IN_SECONDS;
        if ($late || Schedule::isLate()) {
            $why = __('Scheduled work (WP-Cron) has not run for hours. Let a cron job call wp-cron.php, or remove DISABLE_WP_CRON; “Send now” works meanwhile.', 'customerhub');
            return [$late ? 'critical' : 'recommended', __('customerhub: scheduled work does not run', 'customerhub'), $why];
        }
        if ($counts['retrying'] > 0) {
            /* translators: %d: how many */
            $why = sprintf(_n('%d submission could not be sent yet and is tried again.', '%d submissions could not be sent yet and are tried again.', $counts['retrying'], 'customerhub'), $counts['retrying']);
            return ['recommended', __('customerhub: submissions are being re-sent', 'customerhub'), $why];
        }
        $last = Reconciliation::last();
        if ($last !== null && $last['missing'] > 0) {
            /* translators: 1: sent from here, 2: found in the CRM */
            $why = sprintf(__('Of %1$d submissions sent, the CRM had %2$d. The others are sent again.', 'customerhub'), $last['here'], $last['there']);
            return ['recommended', __('customerhub: the daily check missed submissions', 'customerhub'), $why];
        }
        /* translators: 1: how many wait, 2: how many were sent */
        $why = sprintf(__('Waiting: %1$d. Sent in the last 30 days: %2$d.', 'customerhub'), $counts['waiting'], $counts['sent']);
        if (!Sender::delays()) {
            $why .= ' ' . __('Re-sending is switched off by a filter.', 'customerhub');
        }
        $label = $counts['waiting'] > 0 ? __('customerhub: submissions are about to be sent', 'customerhub') : __('customerhub: all submissions arrived', 'customerhub');
        return ['good', $label, $why];
    }

    private static function result(string $key, string $status, string $label, string $why, string $page): array
    {
        return [
            'label' => $label, 'status' => $status, 'test' => "customerhub_$key", 'description' => '<p>' . esc_html($why) . '</p>',
            'badge' => ['label' => 'customerhub', 'color' => $status === 'good' ? 'blue' : ($status === 'critical' ? 'red' : 'orange')],
            'actions' => sprintf('<a href="%s">%s</a>', esc_url(admin_url("admin.php?page=$page")), esc_html__('Look at it', 'customerhub')),
        ];
    }
}
