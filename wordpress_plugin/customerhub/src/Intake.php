<?php
/**
 * A visitor has sent a form: it is written down for each integration of the form, and nothing else happens while he waits.
 * Whatever goes wrong here, the form plugin and its visitor never notice.
 */

namespace CustomerHub;

use Throwable;

final class Intake
{
    public const COOKIE = 'crm_visitor';
    private const SAME_WITHIN = 10 * MINUTE_IN_SECONDS;
    private const MOST_BYTES = 1_048_576;
    private const MOST_OF_A_TEXT = 20_000; // characters, where all together is more than that

    public static function take(Submission $said): void
    {
        try {
            foreach (Integrations::of($said->source, $said->form) as $integration) {
                self::keep($integration, $said);
            }
        } catch (Throwable $fault) {
            error_log('customerhub: a submission could not be taken: ' . get_class($fault) . ' in ' . basename($fault->getFile()) . ':' . $fault->getLine());
        }
    }

    private static function keep(array $integration, Submission $said): void
    {
        $values = self::wanted($integration, $said->values);
        $text = self::said($said, $values);
        if (strlen($text) > self::MOST_BYTES) { // a lead with the beginning of a text is better than none
            $text = self::said($said, map_deep($values, static fn($one) => is_string($one) ? self::beginning($one) : $one));
        }
        if ($text === '' || strlen($text) > self::MOST_BYTES) {
            error_log('customerhub: a submission is larger than 1 MB and was left to the form plugin alone');
            Sending\Alerts::note('too_large');
            return;
        }
        $marks = self::sameness($integration['id'], $said);
        if (Sending\Outbox::holds(...$marks)) {
            return;
        }
        $row = [
            'submission' => wp_generate_uuid4(), 'source' => $said->source, 'form' => mb_substr($said->form, 0, 64),
            'integration' => $integration['id'], 'payload' => Sealing::seal($text, 'outbox'), 'created_at' => time(), 'due_at' => time(),
            'sameness' => $marks[0],
        ];
        if (!Sending\Outbox::put($row)) {
            Sending\Spill::put($row);
        }
        Sending\Schedule::soon();
    }

    private static function said(Submission $said, array $values): string
    {
        return (string) wp_json_encode([
            'values' => $values, 'visitor' => self::visitor(), 'at' => time(),
            'page' => mb_substr(trim(wp_parse_url(home_url(), PHP_URL_HOST) . ': ' . ($said->title ?: $said->form)), 0, 120),
        ], JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
    }

    private static function beginning(string $text): string
    {
        return mb_strlen($text) > self::MOST_OF_A_TEXT ? mb_substr($text, 0, self::MOST_OF_A_TEXT) . ' …' : $text;
    }

    /** Only what the integration uses leaves the form plugin: what is not mapped is not kept here. */
    private static function wanted(array $integration, array $values): array
    {
        return array_intersect_key($values, $integration['map'] + [$integration['consent_field'] => true]);
    }

    /**
     * The same form with the same content by the same visitor within some minutes is a double click or a reload, not a second wish.
     * @return string[] its mark now, and the one it would have had some minutes ago
     */
    private static function sameness(string $integration, Submission $said): array
    {
        if ($said->entry !== '') {
            return [wp_hash("$integration|{$said->form}|entry {$said->entry}", 'nonce')];
        }
        $who = wp_json_encode($said->values) . '|' . ($_SERVER['REMOTE_ADDR'] ?? '');
        $span = intdiv(time(), self::SAME_WITHIN);
        return array_map(static fn($one) => wp_hash("$integration|{$said->form}|$who|$one", 'nonce'), [$span, $span - 1]);
    }

    private static function visitor(): string
    {
        $cookie = $_COOKIE[self::COOKIE] ?? '';
        return is_string($cookie) && preg_match('/^[A-Za-z0-9_-]{22}$/D', $cookie) ? $cookie : '';
    }
}
