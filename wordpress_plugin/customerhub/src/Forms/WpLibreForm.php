<?php
/** WP Libre Form. A submission is a post; its values are kept escaped, so they are read back as they were typed. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class WpLibreForm implements FormPlugin
{
    public function key(): string
    {
        return 'wp_libre_form';
    }

    public function label(): string
    {
        return 'WP Libre Form';
    }

    public function isActive(): bool
    {
        return post_type_exists('wplf-form') || class_exists('WP_Libre_Form');
    }

    public function listen(callable $take): void
    {
        add_action('wplf_post_validate_submission', function ($return) use ($take) {
            if (empty($return->ok) || empty($return->submission_id)) {
                return;
            }
            $form = (string) $return->form_id;
            $values = [];
            foreach ($this->fields($form) as $field) {
                $said = get_post_meta((int) $return->submission_id, $field->name, true);
                $values[$field->name] = is_array($said)
                    ? array_map([self::class, 'plain'], $said)
                    : self::plain($said);
            }
            $take(new Submission($this->key(), $form, $values, (string) $return->submission_id, get_the_title((int) $form)));
        }, 50, 1);
    }

    public function forms(): array
    {
        $found = get_posts(['post_type' => 'wplf-form', 'posts_per_page' => -1, 'post_status' => 'any', 'orderby' => 'title', 'order' => 'ASC']);
        return array_column(array_map(static fn($one) => ['id' => (string) $one->ID, 'title' => $one->post_title], $found), 'title', 'id');
    }

    public function fields(string $form): array
    {
        $required = self::names(get_post_meta((int) $form, '_wplf_required', true));
        return array_map(
            static fn($name) => new Field($name, $name, in_array($name, $required, true)),
            self::names(get_post_meta((int) $form, '_wplf_fields', true))
        );
    }

    /** @return string[] */
    private static function names(mixed $list): array
    {
        return array_values(array_filter(array_map('trim', explode(',', is_string($list) ? $list : '')), static fn($one) => $one !== '' && $one[0] !== '_'));
    }

    private static function plain(mixed $said): string
    {
        return is_scalar($said) ? html_entity_decode((string) $said, ENT_QUOTES | ENT_HTML5, 'UTF-8') : '';
    }
}
