<?php
/** WPForms, also Lite, where submissions have no number. Parts of a name are fields of their own. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class WpForms implements FormPlugin
{
    private const SILENT = ['divider', 'html', 'pagebreak', 'captcha', 'file-upload', 'password', 'content', 'layout', 'entry-preview'];
    private const PARTS = ['first', 'middle', 'last', 'address1', 'address2', 'city', 'state', 'postal', 'country'];

    public function key(): string
    {
        return 'wpforms';
    }

    public function label(): string
    {
        return 'WPForms';
    }

    public function isActive(): bool
    {
        return function_exists('wpforms');
    }

    public function listen(callable $take): void
    {
        add_action('wpforms_process_complete', function ($fields, $entry, $formData, $entryId) use ($take) {
            $values = [];
            foreach ((array) $fields as $id => $field) {
                $said = (string) ($field['value'] ?? '');
                $values[(string) $id] = in_array($field['type'] ?? '', ['checkbox', 'select'], true) && str_contains($said, "\n") ? explode("\n", $said) : $said;
                foreach (array_intersect_key((array) $field, array_flip(self::PARTS)) as $part => $value) {
                    $values["$id.$part"] = (string) $value;
                }
            }
            $title = (string) ($formData['settings']['form_title'] ?? '');
            $take(new Submission($this->key(), (string) ($formData['id'] ?? ''), $values, $entryId ? (string) $entryId : '', $title));
        }, 50, 4);
    }

    public function forms(): array
    {
        $made = [];
        foreach (wpforms()->form->get('', ['posts_per_page' => -1]) ?: [] as $post) {
            $made[(string) $post->ID] = (string) $post->post_title;
        }
        return $made;
    }

    public function fields(string $form): array
    {
        $post = get_post((int) $form);
        $found = $post && function_exists('wpforms_decode') ? wpforms_decode($post->post_content) : [];
        $made = [];
        foreach ((array) ($found['fields'] ?? []) as $field) {
            $type = (string) ($field['type'] ?? '');
            if (in_array($type, self::SILENT, true)) {
                continue;
            }
            $label = (string) ($field['label'] ?? $field['id']);
            $made[] = new Field((string) $field['id'], $label, !empty($field['required']), $type);
            $parts = $type === 'name' ? explode('-', (string) ($field['format'] ?? '')) : ($type === 'address' ? array_slice(self::PARTS, 3) : []);
            foreach (array_intersect($parts, self::PARTS) as $part) {
                $made[] = new Field("{$field['id']}.$part", "$label: $part", false, $type);
            }
        }
        return $made;
    }
}
