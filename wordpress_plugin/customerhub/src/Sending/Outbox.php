<?php
/** The table of what was sent by visitors: waiting, sent (until the CRM is known to have it), or given up. Nothing in it can be read without the salts. */

namespace CustomerHub\Sending;

final class Outbox
{
    public const WAITING = 'waiting';
    public const SENT = 'sent';
    public const FAILED = 'failed';
    private const LEASE = 5 * MINUTE_IN_SECONDS;

    public static function table(): string
    {
        global $wpdb;
        return $wpdb->prefix . 'customerhub_outbox';
    }

    public static function make(): void
    {
        global $wpdb;
        require_once ABSPATH . 'wp-admin/includes/upgrade.php';
        dbDelta('CREATE TABLE ' . self::table() . " (
            id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
            submission char(36) NOT NULL,
            sameness char(32) NOT NULL,
            source varchar(40) NOT NULL,
            form varchar(64) NOT NULL,
            integration varchar(40) NOT NULL,
            payload longtext NOT NULL,
            state varchar(10) NOT NULL DEFAULT 'waiting',
            attempts int(10) unsigned NOT NULL DEFAULT 0,
            due_at bigint(20) unsigned NOT NULL,
            leased_until bigint(20) unsigned NOT NULL DEFAULT 0,
            created_at bigint(20) unsigned NOT NULL,
            tried_at bigint(20) unsigned NOT NULL DEFAULT 0,
            sent_at bigint(20) unsigned NOT NULL DEFAULT 0,
            checked_at bigint(20) unsigned NOT NULL DEFAULT 0,
            record varchar(60) NOT NULL DEFAULT '',
            said text NOT NULL,
            PRIMARY KEY  (id),
            UNIQUE KEY submission (submission),
            UNIQUE KEY sameness (sameness),
            KEY state_due (state, due_at)
        ) {$wpdb->get_charset_collate()}");
    }

    /** Write one down. False when the database does not take it (full, gone, table broken). */
    public static function put(array $row): bool
    {
        global $wpdb;
        $quiet = $wpdb->suppress_errors(true);
        $done = $wpdb->query($wpdb->prepare(
            'INSERT INTO ' . self::table() . ' (submission, sameness, source, form, integration, payload, due_at, created_at, said)'
            . " VALUES (%s, %s, %s, %s, %s, %s, %d, %d, '') ON DUPLICATE KEY UPDATE id = id",
            $row['submission'],
            $row['sameness'],
            $row['source'],
            $row['form'],
            $row['integration'],
            $row['payload'],
            $row['due_at'],
            $row['created_at']
        ));
        $wpdb->suppress_errors($quiet);
        return $done !== false;
    }

    public static function holds(string ...$sameness): bool
    {
        global $wpdb;
        $quiet = $wpdb->suppress_errors(true);
        $holes = implode(', ', array_fill(0, count($sameness), '%s'));
        $found = $wpdb->get_var($wpdb->prepare('SELECT id FROM ' . self::table() . " WHERE sameness IN ($holes) LIMIT 1", ...$sameness));
        $wpdb->suppress_errors($quiet);
        return $found !== null;
    }

    /** Take the next due row for a few minutes: of two senders one gets it. */
    public static function claim(int $now): ?object
    {
        global $wpdb;
        for ($try = 0; $try < 3; $try++) {
            $row = $wpdb->get_row($wpdb->prepare(
                'SELECT * FROM ' . self::table() . ' WHERE state = %s AND due_at <= %d AND leased_until <= %d ORDER BY due_at, id LIMIT 1',
                self::WAITING,
                $now,
                $now
            ));
            if ($row === null) {
                return null;
            }
            $won = $wpdb->query($wpdb->prepare(
                'UPDATE ' . self::table() . ' SET leased_until = %d WHERE id = %d AND state = %s AND leased_until = %d',
                $now + self::LEASE,
                $row->id,
                self::WAITING,
                $row->leased_until
            ));
            if ($won === 1) {
                return $row;
            }
        }
        return null;
    }

    public static function change(int $id, array $values): void
    {
        global $wpdb;
        $wpdb->update(self::table(), $values + ['leased_until' => 0], ['id' => $id]);
    }

    /** Rows that meet an SQL condition of ours are tried at once, given-up ones with their tries counted anew. */
    public static function wake(string $where = '1=1'): int
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        $failed = $wpdb->query($wpdb->prepare("UPDATE $table SET state = 'waiting', attempts = 0, due_at = %d WHERE state = 'failed' AND payload <> '' AND ($where)", time()));
        $waiting = $wpdb->query($wpdb->prepare("UPDATE $table SET due_at = %d WHERE state = 'waiting' AND ($where)", time()));
        $wpdb->suppress_errors($quiet);
        if ($failed || $waiting) {
            Schedule::soon();
        }
        return (int) $failed + (int) $waiting;
    }

    /** What waits is due now, as something just got through; but none is tried more than about once an hour. */
    public static function hurry(): void
    {
        global $wpdb;
        $wpdb->query($wpdb->prepare(
            'UPDATE ' . self::table() . " SET due_at = %d WHERE state = 'waiting' AND due_at > %d AND tried_at <= %d",
            time(),
            time(),
            time() - 55 * MINUTE_IN_SECONDS
        ));
    }

    public static function get(int $id): ?object
    {
        global $wpdb;
        return $wpdb->get_row($wpdb->prepare('SELECT * FROM ' . self::table() . ' WHERE id = %d', $id));
    }

    /** @return object[] newest first */
    public static function page(string $state, int $page, int $size = 50): array
    {
        global $wpdb;
        $where = $state === '' ? '1=1' : $wpdb->prepare('state = %s', $state);
        return $wpdb->get_results($wpdb->prepare(
            'SELECT * FROM ' . self::table() . " WHERE $where ORDER BY id DESC LIMIT %d OFFSET %d",
            $size,
            max(0, $page - 1) * $size
        ));
    }

    /** Counts by state, and how many were tried in vain so far; null when the table cannot be read. */
    public static function counts(): ?array
    {
        global $wpdb;
        $quiet = $wpdb->suppress_errors(true);
        $rows = $wpdb->get_results('SELECT state, COUNT(*) AS count, SUM(attempts > 0) AS tried, MIN(due_at) AS due FROM ' . self::table() . ' GROUP BY state');
        $fault = $wpdb->last_error;
        $wpdb->suppress_errors($quiet);
        if ($fault !== '') {
            return null;
        }
        $made = ['waiting' => 0, 'sent' => 0, 'failed' => 0, 'retrying' => 0, 'oldest_due' => 0];
        foreach ((array) $rows as $row) {
            $made[$row->state] = (int) $row->count;
            if ($row->state === self::WAITING) {
                $made['retrying'] = (int) $row->tried;
                $made['oldest_due'] = (int) $row->due;
            }
        }
        return $made;
    }

    /** Rows whose content is still here, by id, those after one. @return object[] */
    public static function withContent(int $after, int $size = 200): array
    {
        global $wpdb;
        $quiet = $wpdb->suppress_errors(true);
        $rows = $wpdb->get_results($wpdb->prepare('SELECT * FROM ' . self::table() . " WHERE id > %d AND payload <> '' ORDER BY id LIMIT %d", $after, $size));
        $wpdb->suppress_errors($quiet);
        return (array) $rows;
    }

    public static function remove(int $id): void
    {
        global $wpdb;
        $wpdb->delete(self::table(), ['id' => $id]);
    }

    /** Rows that arrived long ago. */
    public static function sweep(int $now): void
    {
        global $wpdb;
        $wpdb->query($wpdb->prepare('DELETE FROM ' . self::table() . " WHERE state = 'sent' AND checked_at > 0 AND sent_at < %d", $now - 30 * DAY_IN_SECONDS));
    }
}
