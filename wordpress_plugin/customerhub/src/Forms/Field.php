<?php
/** One field of a form, as an integration is mapped from it. */

namespace CustomerHub\Forms;

final class Field
{
    public function __construct(
        public readonly string $name,
        public readonly string $label,
        public readonly bool $required = false,
        public readonly string $type = '',
    ) {
    }
}
