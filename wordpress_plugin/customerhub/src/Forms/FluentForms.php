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
        foreach ((array) $found->inputs() as $name => $input) {
            $required = !empty($input['rules']['required']['value']);
            // Parts are told as names[first_name]; they come as names → first_name.
            $plain = (string) preg_replace('/\[([^\]]+)\]/', '.$1', (string) $name);
            $made[] = new Field($plain, (string) ($labels[$name] ?? $input['admin_label'] ?? $plain), $required, (string) ($input['element'] ?? ''));
        }
        return $made;
    }
}
