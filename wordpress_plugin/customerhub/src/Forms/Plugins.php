<?php
/** The form plugins that are known, in one list. */

namespace CustomerHub\Forms;

final class Plugins
{
    /** @return array<string, FormPlugin> */
    public static function all(): array
    {
        static $made = null;
        if ($made === null) {
            $made = [];
            foreach ([
                new ContactForm7(), new GravityForms(), new WpLibreForm(), new WpForms(), new NinjaForms(), new FluentForms(), new ElementorForms(),
            ] as $one) {
                $made[$one->key()] = $one;
            }
        }
        return $made;
    }

    public static function get(string $key): ?FormPlugin
    {
        return self::all()[$key] ?? null;
    }

    /** @return array<string, FormPlugin> */
    public static function active(): array
    {
        return array_filter(self::all(), static fn($one) => $one->isActive());
    }
}
