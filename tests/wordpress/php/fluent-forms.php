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
                public function inputs(array $with = []): array
                {
                    return [
                        'names[first_name]' => ['element' => 'input_text', 'rules' => ['required' => ['value' => true]]],
                        'names[last_name]' => ['element' => 'input_text'], 'email' => ['element' => 'input_email'],
                    ];
                }

                public function labels(): array
                {
                    return ['names[first_name]' => 'First name', 'names[last_name]' => 'Last name', 'email' => 'E-mail'];
                }
            };
        }
    };
}
