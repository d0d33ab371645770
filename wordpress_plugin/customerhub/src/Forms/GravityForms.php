<?php
/** Gravity Forms. Parts of names and addresses are fields of their own (“1.3”); boxes ticked are gathered under their field's number. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class GravityForms implements FormPlugin
{
    private const SILENT = ['section', 'html', 'page', 'captcha', 'fileupload', 'password', 'creditcard'];

    public function key(): string
    {
        return 'gravity_forms';
    }

    public function label(): string
    {
        return 'Gravity Forms';
    }

    public function isActive(): bool
    {
        return class_exists('GFAPI');
    }

    public function listen(callable $take): void
    {
        add_action('gform_after_submission', function ($entry, $form) use ($take) {
            if (($entry['status'] ?? 'active') === 'spam') {
                return;
            }
            $values = self::values((array) $entry, (array) ($form['fields'] ?? []));
            $take(new Submission($this->key(), (string) $form['id'], $values, (string) ($entry['id'] ?? ''), (string) ($form['title'] ?? '')));
        }, 50, 2);
    }

    public function forms(): array
    {
        return array_column(\GFAPI::get_forms(), 'title', 'id');
    }

    public function fields(string $form): array
    {
        $found = \GFAPI::get_form((int) $form);
        $made = [];
        foreach ((array) ($found['fields'] ?? []) as $field) {
            if (in_array($field->type, self::SILENT, true)) {
                continue;
            }
            $made[] = new Field((string) $field->id, (string) $field->label, (bool) $field->isRequired, (string) $field->type);
            foreach (in_array($field->type, ['name', 'address'], true) ? (array) $field->inputs : [] as $part) {
                if (empty($part['isHidden'])) {
                    $made[] = new Field((string) $part['id'], $field->label . ': ' . $part['label'], false, (string) $field->type);
                }
            }
        }
        return $made;
    }

    private static function values(array $entry, array $fields): array
    {
        $made = [];
        foreach ($fields as $field) {
            $id = (string) $field->id;
            $parts = [];
            foreach ((array) ($field->inputs ?? []) as $part) {
                $made[(string) $part['id']] = (string) ($entry[(string) $part['id']] ?? '');
                $parts[] = $made[(string) $part['id']];
            }
            $filled = array_values(array_filter($parts, static fn($one) => $one !== ''));
            if (isset($entry[$id])) {
                $decoded = $field->type === 'multiselect' ? json_decode((string) $entry[$id], true) : null;
                $made[$id] = is_array($decoded) ? $decoded : (string) $entry[$id];
            } elseif ($parts) {
                $made[$id] = $field->type === 'name' ? implode(' ', $filled) : $filled;
            }
        }
        return $made;
    }
}
