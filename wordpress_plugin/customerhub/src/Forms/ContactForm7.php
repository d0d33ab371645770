<?php
/** Contact Form 7. Its mail may fail and the form still counts; what it found wrong, took for spam or must not store does not. */

namespace CustomerHub\Forms;

use CustomerHub\Submission;

final class ContactForm7 implements FormPlugin
{
    private const COUNTS = ['mail_sent', 'mail_failed'];

    public function key(): string
    {
        return 'contact_form_7';
    }

    public function label(): string
    {
        return 'Contact Form 7';
    }

    public function isActive(): bool
    {
        return class_exists('WPCF7_ContactForm');
    }

    public function listen(callable $take): void
    {
        add_action('wpcf7_submit', function ($form, $result) use ($take) {
            $submission = \WPCF7_Submission::get_instance();
            if (!$submission || !in_array($result['status'] ?? '', self::COUNTS, true) || $submission->get_meta('do_not_store')) {
                return;
            }
            $take(new Submission($this->key(), (string) $form->id(), (array) $submission->get_posted_data(), '', (string) $form->title()));
        }, 50, 2);
    }

    public function forms(): array
    {
        $made = [];
        foreach (\WPCF7_ContactForm::find(['posts_per_page' => -1]) as $form) {
            $made[(string) $form->id()] = (string) $form->title();
        }
        return $made;
    }

    public function fields(string $form): array
    {
        $found = \WPCF7_ContactForm::get_instance((int) $form);
        $made = [];
        foreach ($found ? $found->scan_form_tags() : [] as $tag) {
            if ((string) $tag->name !== '' && !in_array($tag->basetype, ['submit', 'file', 'quiz', 'captchac', 'captchar'], true)) {
                $made[] = new Field((string) $tag->name, (string) $tag->name, (bool) $tag->is_required(), (string) $tag->basetype);
            }
        }
        return $made;
    }
}
