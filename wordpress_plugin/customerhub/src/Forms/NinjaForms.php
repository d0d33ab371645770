<?php
/** Ninja Forms. Fields are named by their keys, which people can read and which stay when a form is copied. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class NinjaForms implements FormPlugin
{
    private const SILENT = ['submit', 'html', 'hr', 'recaptcha', 'spam', 'password', 'file_upload', 'note'];

    public function key(): string
    {
        return 'ninja_forms';
    }

    public function label(): string
    {
        return 'Ninja Forms';
    }

    public function isActive(): bool
    {
        return function_exists('Ninja_Forms');
    }

    public function listen(callable $take): void
    {
        add_action('ninja_forms_after_submission', function ($data) use ($take) {
            $values = [];
            foreach ((array) ($data['fields'] ?? []) as $id => $field) {
                $key = (string) ($field['key'] ?? $field['settings']['key'] ?? $id);
                $values[$key] = $field['value'] ?? $field['settings']['value'] ?? '';
            }
            $entry = (string) ($data['actions']['save']['sub_id'] ?? '');
            $take(new Submission($this->key(), (string) ($data['form_id'] ?? ''), $values, $entry, (string) ($data['settings']['title'] ?? '')));
        }, 50, 1);
    }

    public function forms(): array
    {
        $made = [];
        foreach (Ninja_Forms()->form()->get_forms() as $form) {
            $made[(string) $form->get_id()] = (string) $form->get_setting('title');
        }
        return $made;
    }

    public function fields(string $form): array
    {
        $made = [];
        foreach (Ninja_Forms()->form((int) $form)->get_fields() as $field) {
            $type = (string) $field->get_setting('type');
            if (!in_array($type, self::SILENT, true)) {
                $made[] = new Field((string) $field->get_setting('key'), (string) $field->get_setting('label'), (bool) $field->get_setting('required'), $type);
            }
        }
        return $made;
    }
}
