<?php
/** What an integration makes of a submission: the body that is handed in. */

namespace CustomerHub;

final class Mapping
{
    /** CRM field → value. A form's value wins over a constant; an empty one does not. */
    public static function values(array $integration, array $submitted): array
    {
        $kinds = (array) $integration['kinds'];
        $made = [];
        foreach ((array) $integration['fixed'] as $field => $value) {
            $made[$field] = Conversion::to((array) ($kinds[$field] ?? []), $value);
        }
        foreach ((array) $integration['map'] as $from => $field) {
            $kind = (array) ($kinds[$field] ?? []);
            if (!array_key_exists($from, $submitted)) {
                if (($kind['kind'] ?? '') === 'checkbox' && !isset($made[$field])) {
                    $made[$field] = false; // browsers do not send an empty box
                }
                continue;
            }
            if (!Conversion::isEmpty($submitted[$from])) {
                $made[$field] = Conversion::to($kind, $submitted[$from]);
            } elseif (($kind['kind'] ?? '') === 'checkbox' && !isset($made[$field])) {
                $made[$field] = false;
            }
        }
        return $made;
    }

    /** @param array $kept what the outbox holds: values, visitor, at, page */
    public static function body(string $name, array $integration, array $kept): array
    {
        $body = [
            'submission' => $name, 'module' => $integration['module'], 'values' => (object) self::values($integration, (array) $kept['values']),
            'fills' => (bool) $integration['fills'], 'sent_at' => gmdate('Y-m-d\TH:i:s\Z', (int) $kept['at']),
        ];
        if ($integration['campaign']) {
            $body['campaign_id'] = (int) $integration['campaign'];
        }
        if ($integration['knows_visitor'] && !empty($kept['visitor'])) {
            $body['visitor'] = (string) $kept['visitor'];
        }
        $field = (string) $integration['consent_field'];
        if ($field !== '' && Conversion::flag($kept['values'][$field] ?? null)) {
            $body['consent'] = [
                'wording' => (string) $integration['consent_wording'], 'source' => mb_substr((string) $kept['page'], 0, 100),
                'double' => (bool) $integration['consent_double'],
            ];
        }
        return $body;
    }
}
