<?php
/** Fluent Forms. A name or an address comes as a list by part; each part can be mapped as “names.first_name”. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class FluentForms implements FormPlugin
{
    public function key(): string
    {
        return 'fluent_forms';
    }

    public function label(): string
    {
        return 'Fluent Forms';
    }

    public function isActive(): bool
    {
        return function_exists('fluentFormApi');
    }

    public function listen(callable $take): void
    {
        add_action('fluentform/submission_inserted', function ($id, $data, $form) use ($take) {
            $values = [];
            foreach ((array) $data as $name => $said) {
                if (is_string($name) && str_starts_with($name, '_')) {
                    continue; // tokens of the plugin's own
                }
                $values[(string) $name] = $said;
                foreach (is_array($said) ? $said : [] as $part => $value) {
                    if (is_string($part)) {
                        $values["$name.$part"] = $value;
                    }
                }
            }
            $take(new Submission($this->key(), (string) $form->id, $values, (string) $id, (string) ($form->title ?? '')));
        }, 50, 3);
    }

    public function forms(): array
    {
        $found = fluentFormApi('forms')->forms(['per_page' => 500], true);
        $list = is_array($found) ? ($found['data'] ?? $found) : ($found->data ?? []);
        $made = [];
        foreach ($list as $one) {
            $made[(string) $one->id] = (string) $one->title;
        }
        return $made;
    }

    public function fields(string $form): array
    {
        $found = fluentFormApi('forms')->form((int) $form);
        $labels = (array) $found->labels();
        $made = [];
        foreach ((array) $found->inputs(['admin_label', 'rules', 'raw']) as $name => $input) {
            $label = (string) ($labels[$name] ?? $input['admin_label'] ?? $name);
            $kind = (string) ($input['element'] ?? '');
            $parts = array_filter((array) ($input['raw']['fields'] ?? []), static fn($one) => $one['settings']['visible'] ?? false);
            foreach ($parts as $part => $said) {
                $required = !empty($said['settings']['validation_rules']['required']['value']);
                $made[] = new Field("$name.$part", $label . ': ' . ($said['settings']['label'] ?? $part), $required, $kind);
            }
            if (!$parts) {
                $made[] = new Field((string) $name, $label, !empty($input['rules']['required']['value']), $kind);
            }
        }
        return $made;
    }
}
