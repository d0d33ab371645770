<?php
/**
 * Tools → Export and Erase Personal Data, and the privacy guide: what waits here of a person is given out and deleted with the rest of the site's
 * data. It is found by the e-mail address that the person wrote into a mapped field. What has arrived in the CRM is the CRM's to give and erase.
 */

namespace CustomerHub;

use CustomerHub\Sending\Outbox;
use CustomerHub\Sending\Spill;

final class Privacy
{
    private const KEY = 'customerhub';

    public static function register(): void
    {
        add_filter('wp_privacy_personal_data_exporters', static fn($all) => $all + [
            self::KEY => ['exporter_friendly_name' => __('Submissions that wait for customerhub', 'customerhub'), 'callback' => [self::class, 'export']],
        ]);
        add_filter('wp_privacy_personal_data_erasers', static fn($all) => $all + [
            self::KEY => ['eraser_friendly_name' => __('Submissions that wait for customerhub', 'customerhub'), 'callback' => [self::class, 'erase']],
        ]);
        add_action('admin_init', [self::class, 'guide']);
    }

    /** @return array{data: array<int, array>, done: bool} all at once: WordPress asks page by page, and what waits is read in portions anyway */
    public static function export(string $email): array
    {
        $made = [];
        foreach (self::held() as [$row, $kept]) {
            if (self::isOf($kept, $email)) {
                $made[] = [
                    'group_id' => self::KEY, 'group_label' => __('Forms sent on this site', 'customerhub'),
                    'group_description' => __('Kept sealed until the CRM is known to have them.', 'customerhub'),
                    'item_id' => "customerhub-{$row->submission}", 'data' => self::lines($row, $kept),
                ];
            }
        }
        return ['data' => $made, 'done' => true];
    }

    /** @return array{items_removed: bool, items_retained: bool, messages: string[], done: bool} */
    public static function erase(string $email): array
    {
        $removed = 0;
        foreach (self::held() as [$row, $kept]) {
            if ($row->id && self::isOf($kept, $email)) {
                Outbox::remove((int) $row->id);
                $removed++;
            }
        }
        $removed += Spill::sift(static fn($row) => !self::isOf(self::opened((string) ($row['payload'] ?? '')), $email));
        return [
            'items_removed' => $removed > 0, 'items_retained' => false, 'done' => true,
            'messages' => [__('customerhub: what has arrived in the CRM is erased there, on the person’s card.', 'customerhub')],
        ];
    }

    /** What is offered for the site's own page about privacy. */
    public static function guide(): void
    {
        $said = [
            __('What you send with a form of this site is handed to our customer register. Until it has arrived there it is kept here, sealed, for up to some days.', 'customerhub'),
            __('If you agreed to be followed, the visits of your browser are noted in the same register and tied to the form that you sent.', 'customerhub'),
        ];
        wp_add_privacy_policy_content('customerhub', wp_kses_post('<p>' . implode('</p><p>', $said) . '</p>'));
    }

    /** Every submission of which there is a content here, in the table or in the file. @return iterable<array{object, ?array}> */
    private static function held(): iterable
    {
        $after = 0;
        while ($rows = Outbox::withContent($after)) {
            foreach ($rows as $row) {
                $after = (int) $row->id;
                yield [$row, self::opened($row->payload)];
            }
        }
        foreach (Spill::rows() as $row) {
            yield [(object) (['id' => 0, 'state' => Outbox::WAITING] + $row), self::opened((string) ($row['payload'] ?? ''))];
        }
    }

    private static function opened(string $payload): ?array
    {
        $kept = json_decode(Sealing::open($payload, 'outbox') ?? '', true);
        return is_array($kept) ? $kept : null;
    }

    private static function isOf(?array $kept, string $email): bool
    {
        $wanted = mb_strtolower(trim($email));
        $found = false;
        $values = (array) ($kept['values'] ?? []);
        array_walk_recursive($values, static function ($one) use ($wanted, &$found) {
            $found = $found || (is_string($one) && mb_strtolower(trim($one)) === $wanted);
        });
        return $wanted !== '' && $found;
    }

    /** @return array<int, array{name: string, value: string}> */
    private static function lines(object $row, array $kept): array
    {
        $plugin = Forms\Plugins::get((string) $row->source);
        $labels = $plugin?->isActive() ? array_column(array_map('get_object_vars', $plugin->fields((string) $row->form)), 'label', 'name') : [];
        $made = [['name' => __('Received', 'customerhub'), 'value' => wp_date(get_option('date_format') . ' ' . get_option('time_format'), (int) $row->created_at)]];
        foreach ((array) $kept['values'] as $name => $value) {
            $value = is_array($value) ? implode(', ', array_filter($value, 'is_scalar')) : (string) $value;
            $made[] = ['name' => (string) ($labels[$name] ?? $name), 'value' => $value];
        }
        if (!empty($kept['visitor'])) {
            $made[] = ['name' => __('Key of the browser', 'customerhub'), 'value' => (string) $kept['visitor']];
        }
        return $made;
    }
}
