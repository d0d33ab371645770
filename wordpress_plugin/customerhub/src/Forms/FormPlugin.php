<?php
/** What is asked of a form plugin: its forms, their fields, and to be told of what visitors send. One class a plugin. */

namespace CustomerHub\Forms;

interface FormPlugin
{
    /** Short and for good: it stands in integrations. */
    public function key(): string;

    public function label(): string;

    public function isActive(): bool;

    /** Hook in. @param callable(\CustomerHub\Submission): void $take never throws, never waits */
    public function listen(callable $take): void;

    /** @return array<string, string> id → title */
    public function forms(): array;

    /** @return Field[] in the order of the form, without headings and buttons */
    public function fields(string $form): array;
}
