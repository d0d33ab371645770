<?php
/**
 * Which form becomes what. One integration: id, title, source (form plugin), form, module, map (form field → CRM field), fixed (CRM field →
 * constant), kinds (what was known of the CRM fields when it was saved, so that sending asks nothing), consent, and the options.
 */

namespace CustomerHub;

final class Integrations
{
    private const OPTION = 'customerhub_integrations';
    public const EMPTY = [
        'id' => '', 'title' => '', 'source' => '', 'form' => '', 'module' => '', 'active' => true, 'map' => [], 'fixed' => [], 'kinds' => [],
        'consent_field' => '', 'consent_wording' => '', 'consent_double' => false, 'fills' => false, 'campaign' => 0, 'knows_visitor' => true,
    ];

    /** Id → integration. */
    public static function all(): array
    {
        return array_map(static fn($one) => array_merge(self::EMPTY, (array) $one), (array) get_option(self::OPTION, []));
    }

    public static function get(string $id): ?array
    {
        return self::all()[$id] ?? null;
    }

    /** The active ones of a form that map any of its fields. */
    public static function of(string $source, string $form): array
    {
        return array_filter(self::all(), static fn($one) => $one['active'] && $one['map'] && $one['source'] === $source && (string) $one['form'] === $form);
    }

    /** Keep one; gives its id. What waits because of it is tried anew. */
    public static function keep(array $given): string
    {
        $given = array_merge(self::EMPTY, array_intersect_key($given, self::EMPTY));
        $given['id'] = $given['id'] ?: strtolower(wp_generate_password(10, false));
        update_option(self::OPTION, [$given['id'] => $given] + self::all());
        Sending\Outbox::wake("integration = '" . esc_sql($given['id']) . "'");
        return $given['id'];
    }

    public static function remove(string $id): void
    {
        update_option(self::OPTION, array_diff_key(self::all(), [$id => true]));
    }

    public static function forget(): void
    {
        delete_option(self::OPTION);
    }

    /** Labels of CRM fields that must have a value and get none. @return string[] */
    public static function unmapped(array $integration, array $fields): array
    {
        $given = array_merge(array_values($integration['map']), array_keys($integration['fixed']));
        $missing = array_filter($fields, static fn($one, $name) => !empty($one['required']) && !in_array($name, $given, true), ARRAY_FILTER_USE_BOTH);
        return array_values(array_column($missing, 'label'));
    }
}
