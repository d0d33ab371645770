<?php
/** What can be handed in: modules (kept 15 minutes) and their fields (kept 5), as the key's rights allow. */

namespace CustomerHub\Crm;

final class Catalog
{
    private const MODULES = 'customerhub_modules';
    private const FIELDS = 'customerhub_fields_';
    private const CAMPAIGNS = 'customerhub_campaigns';

    private static ?Answer $lastFault = null;

    /** Module key → its label and what may be done. */
    public static function modules(): array
    {
        return self::kept(self::MODULES, '/intakes/modules', 15 * MINUTE_IN_SECONDS);
    }

    /** Field name → label, kind, required, max, values, to; by label. */
    public static function fields(string $module): array
    {
        $key = sanitize_key($module);
        return $key === '' ? [] : self::kept(self::FIELDS . $key, "/intakes/modules/$key", 5 * MINUTE_IN_SECONDS);
    }

    /** Id → name of the campaigns that the key may see; none without that right. */
    public static function campaigns(): array
    {
        $path = '/campaigns?fields[campaigns]=name&sort=name&page[size]=200&filter=' . rawurlencode('{"active":true}');
        return array_column(self::kept(self::CAMPAIGNS, $path, 5 * MINUTE_IN_SECONDS), 'name', 'id');
    }

    /** The answer that came instead of what was asked last; null when all is well. */
    public static function lastFault(): ?Answer
    {
        return self::$lastFault;
    }

    /** "Purge cache". */
    public static function forget(): void
    {
        global $wpdb;
        $names = $wpdb->get_col($wpdb->prepare(
            "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s",
            $wpdb->esc_like('_transient_' . self::FIELDS) . '%'
        ));
        foreach ([self::MODULES, self::CAMPAIGNS, ...array_map(static fn($one) => substr($one, 11), $names)] as $name) {
            delete_transient($name);
        }
    }

    private static function kept(string $name, string $path, int $seconds): array
    {
        $found = get_transient($name);
        if (is_array($found)) {
            return $found;
        }
        $answer = (new Api())->get($path);
        if (!$answer->isGood()) {
            self::$lastFault = $answer;
            return [];
        }
        $found = [];
        foreach ((array) ($answer->document['data'] ?? []) as $one) {
            $found[(string) $one['id']] = ['id' => (string) $one['id']] + (array) ($one['attributes'] ?? []);
        }
        set_transient($name, $found, $seconds);
        return $found;
    }
}
