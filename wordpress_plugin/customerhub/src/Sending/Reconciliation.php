<?php
/** Once a day: what was sent from here is looked up there. What is not there any more is sent again, and somebody is told. */

namespace CustomerHub\Sending;

use CustomerHub\Crm\Api;

final class Reconciliation
{
    private const OPTION = 'customerhub_reconciliation';
    private const AT_ONCE = 500;

    /** The outcome of the last one: at, here, there, missing, said; null when there was none yet. */
    public static function last(): ?array
    {
        $found = get_option(self::OPTION);
        return is_array($found) ? $found : null;
    }

    public static function run(): void
    {
        global $wpdb;
        $table = Outbox::table();
        $outcome = ['at' => time(), 'here' => 0, 'there' => 0, 'missing' => 0, 'said' => ''];
        $from = 0;
        while ($rows = $wpdb->get_results($wpdb->prepare(
            "SELECT id, submission FROM $table WHERE state = 'sent' AND checked_at = 0 AND id > %d ORDER BY id LIMIT %d",
            $from,
            self::AT_ONCE
        ))) {
            $answer = (new Api())->post('/intakes/checks', ['submissions' => array_column($rows, 'submission')]);
            if (!$answer->isGood()) {
                $outcome['said'] = $answer->sentence();
                break;
            }
            $found = (array) ($answer->document['meta']['found'] ?? []);
            foreach ($rows as $row) {
                $from = (int) $row->id;
                $outcome['here']++;
                if (array_key_exists($row->submission, $found)) {
                    $outcome['there']++;
                    Outbox::change($from, ['checked_at' => time(), 'payload' => '']); // it is safe there: nothing of it stays here
                } else {
                    $outcome['missing']++;
                    Outbox::change($from, ['state' => Outbox::WAITING, 'attempts' => 0, 'due_at' => time(), 'record' => '']);
                }
            }
        }
        update_option(self::OPTION, $outcome, false);
        if ($outcome['missing'] > 0) {
            Alerts::note('missing');
            Schedule::soon();
        }
    }
}
