<?php
/** Forms of Elementor Pro. They are widgets within pages and known by the widget's id, so they are looked for in what Elementor keeps. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class ElementorForms implements FormPlugin
{
    private const SILENT = ['html', 'step', 'recaptcha', 'recaptcha_v3', 'honeypot', 'upload', 'password'];

    private ?array $found = null;

    public function key(): string
    {
        return 'elementor_forms';
    }

    public function label(): string
    {
        return 'Elementor Pro';
    }

    public function isActive(): bool
    {
        return defined('ELEMENTOR_PRO_VERSION');
    }

    public function listen(callable $take): void
    {
        add_action('elementor_pro/forms/new_record', function ($record, $handler = null) use ($take) {
            $values = [];
            foreach ((array) $record->get('fields') as $id => $field) {
                $raw = $field['raw_value'] ?? $field['value'] ?? '';
                $values[(string) ($field['id'] ?? $id)] = is_array($raw) ? $raw : (string) ($field['value'] ?? $raw);
            }
            $title = (string) $record->get_form_settings('form_name');
            $take(new Submission($this->key(), (string) $record->get_form_settings('id'), $values, '', $title));
        }, 50, 2);
    }

    public function forms(): array
    {
        return array_map(static fn($one) => (string) ($one['form_name'] ?? ''), $this->widgets());
    }

    public function fields(string $form): array
    {
        $made = [];
        foreach ((array) ($this->widgets()[$form]['form_fields'] ?? []) as $field) {
            $type = (string) ($field['field_type'] ?? 'text');
            $id = (string) ($field['custom_id'] ?? $field['_id'] ?? '');
            if ($id !== '' && !in_array($type, self::SILENT, true)) {
                $made[] = new Field($id, (string) ($field['field_label'] ?? '') ?: $id, !empty($field['required']), $type);
            }
        }
        return $made;
    }

    /** Widget id → its settings, from all pages and templates. */
    private function widgets(): array
    {
        global $wpdb;
        if ($this->found === null) {
            $this->found = [];
            $kept = $wpdb->get_col("SELECT m.meta_value FROM {$wpdb->postmeta} m JOIN {$wpdb->posts} p ON p.ID = m.post_id
                WHERE m.meta_key = '_elementor_data' AND p.post_type <> 'revision' AND m.meta_value LIKE '%\"widgetType\":\"form\"%'");
            foreach ($kept as $json) {
                $this->gather((array) json_decode($json, true), 0);
            }
        }
        return $this->found;
    }

    private function gather(array $elements, int $depth): void
    {
        foreach ($depth > 50 ? [] : $elements as $one) {
            if (($one['widgetType'] ?? '') === 'form') {
                $this->found[(string) $one['id']] = (array) ($one['settings'] ?? []);
            }
            $this->gather((array) ($one['elements'] ?? []), $depth + 1);
        }
    }
}
