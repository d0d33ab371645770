<?php
function fluentFormApi(string $what): object
{
    return new class {
        public function forms(array $asked = [], bool $withFields = false): array
        {
            return ['data' => [(object) ['id' => 7, 'title' => 'Contact us']]];
        }

        public function form(int $id): object
        {
            return new class {
                public function inputs(array $with = ['admin_label', 'raw']): array
                {
                    $part = static fn($label, $visible, $required) => [
                        'element' => 'input_text', 'settings' => ['label' => $label, 'visible' => $visible, 'validation_rules' => ['required' => ['value' => $required]]],
                    ];
                    $all = [
                        'names' => ['element' => 'input_name', 'admin_label' => 'Name', 'rules' => null, 'raw' => ['fields' => [
                            'first_name' => $part('First name', true, true), 'middle_name' => $part('Middle name', false, false),
                            'last_name' => $part('Last name', true, false),
                        ]]],
                        'email' => ['element' => 'input_email', 'admin_label' => 'E-mail', 'rules' => ['required' => ['value' => true]], 'raw' => ['settings' => []]],
                    ];
                    return array_map(static fn($one) => array_intersect_key($one, array_flip(['element', ...$with])), $all);
                }

                public function labels(): array
                {
                    return ['names' => 'Name', 'email' => 'E-mail'];
                }
            };
        }
    };
}
