<?php
/** One filled form as an adapter gives it. */

namespace CustomerHub;

final class Submission
{
    /**
     * @param string $source key of the form plugin
     * @param array<string, mixed> $values field → text, or list of texts
     * @param string $entry the form plugin's own number for it, "" when it has none
     */
    public function __construct(
        public readonly string $source,
        public readonly string $form,
        public readonly array $values,
        public readonly string $entry = '',
        public readonly string $title = '',
    ) {
    }
}
