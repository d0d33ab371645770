<?php
class GFAPI
{
    public static function get_forms(): array
    {
        return [self::get_form(7)];
    }

    public static function get_form(int $id): array
    {
        $field = static fn($id, $label, $type, $required = false, $inputs = null) => (object) [
            'id' => $id, 'label' => $label, 'type' => $type, 'isRequired' => $required, 'inputs' => $inputs,
        ];
        $names = [['id' => '1.3', 'label' => 'First'], ['id' => '1.6', 'label' => 'Last']];
        $boxes = [['id' => '4.1', 'label' => 'A'], ['id' => '4.2', 'label' => 'B']];
        return ['id' => 7, 'title' => 'Contact us', 'fields' => [
            $field(1, 'Name', 'name', true, $names), $field(2, 'About you', 'section'), $field(3, 'E-mail', 'email', true),
            $field(4, 'News', 'checkbox', false, $boxes), $field(5, 'Born', 'date'),
        ]];
    }
}
