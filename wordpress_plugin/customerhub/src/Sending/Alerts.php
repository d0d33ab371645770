<?php
/** Tells the site's administrator by mail, once a day at most and without anything of the visitors, that something needs a hand. */

namespace CustomerHub\Sending;

use CustomerHub\Settings;

final class Alerts
{
    private const NOTED = 'customerhub_alerts';
    private const SENT = 'customerhub_alert_sent_at';

    /** @param string $what given_up, missing, too_large */
    public static function note(string $what): void
    {
        $noted = (array) get_option(self::NOTED, []);
        $noted[$what] = ($noted[$what] ?? 0) + 1;
        update_option(self::NOTED, $noted, false);
    }

    public static function send(): void
    {
        $noted = (array) get_option(self::NOTED, []);
        $counts = Outbox::counts();
        if (isset($noted['given_up']) && $counts !== null) {
            $noted['given_up'] = min($noted['given_up'], $counts['failed']); // what was sent since needs no hand any more
        }
        $noted = array_filter($noted);
        if (Spill::count() > 0 || $counts === null) {
            $noted['spilled'] = Spill::count();
        }
        if (!$noted || (int) get_option(self::SENT, 0) > time() - DAY_IN_SECONDS) {
            return;
        }
        $site = wp_parse_url(home_url(), PHP_URL_HOST);
        $lines = [];
        foreach ($noted as $what => $count) {
            $lines[] = '- ' . self::sentence((string) $what, (int) $count);
        }
        $text = implode("\n", $lines) . "\n\n" . __('See them here, send them again, or read why:', 'customerhub') . "\n"
            . admin_url('admin.php?page=customerhub-outbox') . "\n";
        /* translators: %s: the site's host name */
        $subject = sprintf(__('[%s] Submissions need a hand', 'customerhub'), $site);
        if (wp_mail(Settings::alertTo(), $subject, $text)) {
            update_option(self::SENT, time(), false);
            delete_option(self::NOTED);
        }
    }

    private static function sentence(string $what, int $count): string
    {
        $said = match ($what) {
            /* translators: %d: how many */
            'given_up' => _n('%d submission could not be handed to the CRM.', '%d submissions could not be handed to the CRM.', $count, 'customerhub'),
            /* translators: %d: how many */
            'missing' => _n('The daily check missed submissions in the CRM (%d time); they are sent again.', 'The daily check missed submissions in the CRM (%d times); they are sent again.', $count, 'customerhub'),
            /* translators: %d: how many */
            'too_large' => _n('%d submission was larger than 1 MB and stayed in the form plugin.', '%d submissions were larger than 1 MB and stayed in the form plugin.', $count, 'customerhub'),
            /* translators: %d: how many */
            default => _n('The database takes no submissions: %d waits in a file.', 'The database takes no submissions: %d wait in a file.', $count, 'customerhub'),
        };
        return sprintf($said, $count);
    }
}
