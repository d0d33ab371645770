<?php
/** Hands in what is due, one after the other, and writes down what came of each. */

namespace CustomerHub\Sending;

use CustomerHub\Crm\Answer;
use CustomerHub\Crm\Api;
use CustomerHub\Integrations;
use CustomerHub\Mapping;
use CustomerHub\Sealing;

final class Sender
{
    /** Seconds between the first try and the three re-sends; what gets through meanwhile makes the rest due at once. */
    public const DELAYS = [HOUR_IN_SECONDS, 6 * HOUR_IN_SECONDS, 2 * DAY_IN_SECONDS];
    private const MOST_SECONDS = 50;

    /** @return int[] customerhub_retry_delays: an empty list switches re-sending off */
    public static function delays(): array
    {
        return array_values(array_map('intval', (array) apply_filters('customerhub_retry_delays', self::DELAYS)));
    }

    /** Send all that is due; stops when time is up or the CRM is away. Gives how many arrived. */
    public static function run(): int
    {
        $end = time() + self::MOST_SECONDS;
        $done = 0;
        if (Outbox::counts() === null) {
            Outbox::make(); // it was lost, or left out when a backup was restored
        }
        Spill::drain();
        while (time() < $end && ($row = Outbox::claim(time())) !== null) {
            $answer = self::send($row);
            if ($answer !== null && $answer->isGood()) {
                if ($done++ === 0) {
                    Outbox::hurry();
                }
            } elseif ($answer !== null && !$answer->isFinal()) {
                break; // away, asleep, or the key is wrong: the others would hear the same
            }
        }
        return $done;
    }

    /** Hourly: when something waits for later and the CRM answers again, it need not wait. This is no try of any of them. */
    public static function probe(): void
    {
        $counts = Outbox::counts();
        if ($counts !== null && $counts['waiting'] > 0 && self::delays() && (new Api())->get('/intakes/modules')->isGood()) {
            Outbox::hurry();
        }
    }

    /** Null when it could not even be tried. */
    private static function send(object $row): ?Answer
    {
        $integration = Integrations::get($row->integration);
        $kept = json_decode(Sealing::open($row->payload, 'outbox') ?? '', true);
        if ($integration === null || !is_array($kept)) {
            self::giveUp($row, $integration === null
                ? __('Its integration was removed.', 'customerhub')
                : __('It cannot be read: the salts of this site were changed since.', 'customerhub'));
            return null;
        }
        $body = Mapping::body($row->submission, $integration, $kept);
        // The name of the submission makes it one record for good; the header, one answer for this very body.
        $answer = (new Api())->post('/intakes', $body, $row->submission . ':' . substr(md5((string) wp_json_encode($body)), 0, 16));
        if ($answer->isGood()) {
            $data = (array) ($answer->document['data'] ?? []);
            $record = trim(($data['type'] ?? '') . ' ' . ($data['id'] ?? ''));
            Outbox::change((int) $row->id, [
                'state' => Outbox::SENT, 'sent_at' => time(), 'tried_at' => time(), 'attempts' => $row->attempts + 1, 'record' => $record, 'said' => '',
            ]);
        } elseif ($answer->isFinal()) {
            self::giveUp($row, $answer->sentence());
        } else {
            self::later($row, $answer->sentence());
        }
        return $answer;
    }

    private static function later(object $row, string $why): void
    {
        $delays = self::delays();
        if ($row->attempts >= count($delays)) {
            self::giveUp($row, $why);
            return;
        }
        Outbox::change((int) $row->id, [
            'attempts' => $row->attempts + 1, 'tried_at' => time(), 'due_at' => time() + $delays[$row->attempts], 'said' => mb_substr($why, 0, 1000),
        ]);
    }

    private static function giveUp(object $row, string $why): void
    {
        Outbox::change((int) $row->id, [
            'state' => Outbox::FAILED, 'attempts' => $row->attempts + 1, 'tried_at' => time(), 'said' => mb_substr($why, 0, 1000),
        ]);
        Alerts::note('given_up');
    }
}
