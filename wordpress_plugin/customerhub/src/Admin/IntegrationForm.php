<?php
/** One integration: first form and module, then which field goes where. Works without scripts; a script shows the hint of the chosen field. */

namespace CustomerHub\Admin;

use CustomerHub\Crm\Catalog;
use CustomerHub\Forms\Field;
use CustomerHub\Forms\Plugins;
use CustomerHub\Integrations;
use CustomerHub\Settings;

final class IntegrationForm
{
    private const SPARE = 3;

    public static function show(string $id): void
    {
        $one = $id === 'new' ? Integrations::EMPTY : Integrations::get($id);
        if ($one === null) {
            wp_die(esc_html__('There is no such integration.', 'customerhub'), 404);
        }
        Page::open($id === 'new' ? __('Add an integration', 'customerhub') : $one['title']);
        [$source, $form, $module] = self::chosen($one);
        $modules = Catalog::modules();
        if (!$modules) {
            Page::notice('error', Catalog::lastFault()?->sentence() ?? __('The API key may not create anything.', 'customerhub'));
        }
        self::choose($id, $source, $form, $module, $modules);
        if ($form !== '' && $module !== '' && ($fields = Catalog::fields($module))) {
            self::map($one, $source, $form, $module, $fields);
        } elseif ($form !== '' && $module !== '' && Catalog::lastFault()) {
            Page::notice('error', Catalog::lastFault()->sentence());
        }
        Page::close();
    }

    /** What the form of the page says. */
    public static function read(): array
    {
        $given = wp_unslash($_POST);
        $text = static fn(string $name): string => is_string($given[$name] ?? null) ? sanitize_text_field($given[$name]) : '';
        $known = Integrations::get($text('id')) ?? Integrations::EMPTY;
        $map = [];
        foreach (is_array($given['map'] ?? null) ? $given['map'] : [] as $at => $field) {
            $from = $given['from'][$at] ?? '';
            if (is_string($from) && is_string($field) && $field !== '') {
                $map[sanitize_text_field($from)] = sanitize_key($field);
            }
        }
        $fixed = [];
        foreach (is_array($given['fixed_field'] ?? null) ? $given['fixed_field'] : [] as $at => $field) {
            $value = $given['fixed_value'][$at] ?? '';
            if (is_string($field) && $field !== '' && is_string($value) && trim($value) !== '') {
                $fixed[sanitize_key($field)] = sanitize_textarea_field($value);
            }
        }
        $fields = Catalog::fields($text('module'));
        $kinds = [];
        foreach (array_unique([...array_values($map), ...array_keys($fixed)]) as $name) {
            $kinds[$name] = isset($fields[$name])
                ? ['kind' => $fields[$name]['kind']] + (isset($fields[$name]['values']) ? ['values' => $fields[$name]['values']] : [])
                : ($known['kinds'][$name] ?? []);
        }
        return [
            'id' => $known['id'], 'title' => $text('title'), 'source' => $text('source'), 'form' => $text('form'), 'module' => sanitize_key($text('module')),
            'active' => $text('active') === '1', 'map' => $map, 'fixed' => $fixed, 'kinds' => array_filter($kinds), 'consent_field' => $text('consent_field'),
            'consent_wording' => mb_substr($text('consent_wording'), 0, 2000), 'consent_double' => $text('consent_double') === '1',
            'fills' => $text('fills') === '1', 'campaign' => absint($text('campaign')), 'knows_visitor' => $text('knows_visitor') === '1',
        ];
    }

    /** @return array{string, string, string} form plugin, form, module */
    private static function chosen(array $one): array
    {
        $form = isset($_GET['form']) && is_string($_GET['form']) ? sanitize_text_field(wp_unslash($_GET['form'])) : "{$one['source']}:{$one['form']}";
        $module = isset($_GET['module']) && is_string($_GET['module']) ? sanitize_key($_GET['module']) : $one['module'];
        [$source, $id] = array_pad(explode(':', $form, 2), 2, '');
        return Plugins::get($source)?->isActive() ? [$source, $id, $module] : ['', '', $module];
    }

    private static function choose(string $id, string $source, string $form, string $module, array $modules): void
    {
        $forms = [];
        $plugins = Plugins::active();
        $first = (string) Settings::get('form_plugin');
        uksort($plugins, static fn($a, $b) => ($b === $first) <=> ($a === $first));
        foreach ($plugins as $key => $plugin) {
            foreach ($plugin->forms() as $number => $title) {
                $forms["$key:$number"] = count($plugins) > 1 ? "{$plugin->label()}: $title" : $title;
            }
        }
        echo '<form method="get" class="customerhub-choose"><input type="hidden" name="page" value="customerhub"><input type="hidden" name="edit" value="' . esc_attr($id) . '">';
        echo '<label for="ch-form">' . esc_html__('Form', 'customerhub') . '</label> ';
        Page::select('form', 'ch-form', $forms, "$source:$form", __('Choose …', 'customerhub'));
        echo ' <label for="ch-module">' . esc_html__('creates', 'customerhub') . '</label> ';
        Page::select('module', 'ch-module', array_map(static fn($one) => (string) $one['label'], $modules), $module, __('Choose …', 'customerhub'));
        echo ' <button class="button">' . esc_html__('Load fields', 'customerhub') . '</button></form>';
        if (!$forms) {
            Page::notice('info', __('No form was found. Make one in the form plugin first.', 'customerhub'));
        }
    }

    private static function map(array $one, string $source, string $form, string $module, array $fields): void
    {
        $labels = array_map(static fn($field) => $field['label'] . ($field['required'] ? ' *' : '') . ' (' . self::kind($field) . ')', $fields);
        $hints = array_filter(array_map([self::class, 'hint'], $fields));
        $known = Catalog::modules()[$module] ?? [];
        Page::form('integration', ['id' => $one['id'], 'source' => $source, 'form' => $form, 'module' => $module]);
        $title = $one['title'] ?: (Plugins::get($source)->forms()[$form] ?? '');
        echo '<table class="form-table" role="presentation">';
        Page::text('title', __('Name', 'customerhub'), $title, '', 'text', 'required');
        Page::check('active', __('On: what visitors send is handed to the CRM', 'customerhub'), (bool) $one['active']);
        echo '</table><h2>' . esc_html__('Which field goes where', 'customerhub') . '</h2>';
        echo '<p class="description">' . esc_html__('* must be filled. Dates, boxes and lists are converted to what the CRM takes.', 'customerhub') . '</p>';
        echo '<table class="widefat striped customerhub-map"><thead><tr><th scope="col">' . esc_html__('Field of the form', 'customerhub') . '</th><th scope="col">' . esc_html__('Field of the CRM', 'customerhub') . '</th></tr></thead><tbody>';
        $formFields = Plugins::get($source)->fields($form);
        foreach ($formFields as $at => $field) {
            self::row($at, $field, $one, $labels, $hints);
        }
        echo '</tbody></table><h2>' . esc_html__('Constant values', 'customerhub') . '</h2>';
        echo '<p class="description">' . esc_html__('Such as source or owner. What a visitor filled in wins over a constant.', 'customerhub') . '</p><table class="widefat striped customerhub-map"><tbody>';
        $fixed = $one['fixed'] + array_combine(array_map(static fn($n) => " $n", range(1, self::SPARE)), array_fill(0, self::SPARE, ''));
        $at = 0;
        foreach ($fixed as $name => $value) {
            echo '<tr><td>';
            Page::select("fixed_field[$at]", "ch-fixed-$at", $labels, trim((string) $name), '—', [], $hints, __('Field of the CRM', 'customerhub'));
            printf('<p class="customerhub-hint" data-hint-of="ch-fixed-%d">%s</p></td><td><input type="text" class="regular-text" name="fixed_value[%d]" value="%s" aria-label="%s"></td></tr>', $at, esc_html($hints[$name] ?? ''), $at, esc_attr($value), esc_attr__('Value', 'customerhub'));
            $at++;
        }
        echo '</tbody></table><h2>' . esc_html__('Consent and more', 'customerhub') . '</h2><table class="form-table" role="presentation">';
        echo '<tr><th scope="row"><label for="ch-consent_field">' . esc_html__('Consent to mail', 'customerhub') . '</label></th><td>';
        Page::select('consent_field', 'ch-consent_field', array_column(array_map(static fn(Field $f) => ['n' => $f->name, 'l' => $f->label], $formFields), 'l', 'n'), $one['consent_field'], __('The form does not ask', 'customerhub'));
        echo '<p class="description">' . esc_html__('When this box is ticked, the person is marked as opted in (webform).', 'customerhub') . '</p></td></tr>';
        Page::text('consent_wording', __('Its wording', 'customerhub'), $one['consent_wording'], __('The sentence beside the box; kept as evidence.', 'customerhub'));
        Page::check('consent_double', __('Ask by mail first (double opt-in)', 'customerhub'), (bool) $one['consent_double'], __('Only the link in that mail opts the person in.', 'customerhub'));
        if (!empty($known['updates'])) {
            Page::check('fills', __('Fill up a known person with the same e-mail address', 'customerhub'), (bool) $one['fills'], __('Only empty fields; what is known is never overwritten.', 'customerhub'));
        }
        if ($campaigns = Catalog::campaigns()) {
            echo '<tr><th scope="row"><label for="ch-campaign">' . esc_html__('Campaign', 'customerhub') . '</label></th><td>';
            Page::select('campaign', 'ch-campaign', $campaigns, (string) $one['campaign'], __('None', 'customerhub'));
            echo '<p class="description">' . esc_html__('Noted as where the record came from; people are also added to it.', 'customerhub') . '</p></td></tr>';
        } elseif ($one['campaign']) {
            printf('<input type="hidden" name="campaign" value="%d">', (int) $one['campaign']);
        }
        Page::check('knows_visitor', __('Tie the visitor’s earlier visits to the person', 'customerhub'), (bool) $one['knows_visitor'], __('Only of visitors who agreed to be followed.', 'customerhub'));
        echo '</table><p class="submit"><button class="button button-primary">' . esc_html__('Save', 'customerhub') . '</button></p></form>';
    }

    private static function row(int $at, Field $field, array $one, array $labels, array $hints): void
    {
        $chosen = (string) ($one['map'][$field->name] ?? '');
        if ($chosen !== '' && !isset($labels[$chosen])) {
            /* translators: %s: the name of a field */
            $labels = [$chosen => sprintf(__('%s (gone from the CRM)', 'customerhub'), $chosen)] + $labels;
        }
        printf(
            '<tr><td><label for="ch-map-%1$d"><strong>%2$s</strong>%3$s</label> <span class="description">%4$s</span><input type="hidden" name="from[%1$d]" value="%5$s"></td><td>',
            $at,
            esc_html($field->label),
            $field->required ? ' <span class="customerhub-must">*</span>' : '',
            esc_html($field->type),
            esc_attr($field->name)
        );
        Page::select("map[$at]", "ch-map-$at", $labels, $chosen, __('Not sent', 'customerhub'), [], $hints);
        printf('<p class="customerhub-hint" data-hint-of="ch-map-%d">%s</p></td></tr>', $at, esc_html($hints[$chosen] ?? ''));
    }

    private static function kind(array $field): string
    {
        return match ($field['kind']) {
            'text' => __('text', 'customerhub'), 'long_text', 'html' => __('long text', 'customerhub'), 'whole' => __('whole number', 'customerhub'),
            'number', 'money', 'percent' => __('number', 'customerhub'), 'day' => __('date', 'customerhub'), 'moment' => __('date and time', 'customerhub'),
            'time' => __('time of day', 'customerhub'), 'phone' => __('phone', 'customerhub'), 'email' => __('e-mail', 'customerhub'),
            'website' => __('web address', 'customerhub'), 'checkbox' => __('box', 'customerhub'), 'picklist' => __('list', 'customerhub'),
            'multi' => __('list, several', 'customerhub'), 'owner', 'user' => __('user', 'customerhub'), 'link' => __('link', 'customerhub'),
            default => (string) $field['kind'],
        };
    }

    private static function hint(array $field): string
    {
        if (!empty($field['values'])) {
            /* translators: %s: values of a list */
            return sprintf(__('Possible values: %s.', 'customerhub'), implode(', ', array_column($field['values'], 'label')));
        }
        if (in_array($field['kind'], ['owner', 'user'], true)) {
            return __('A valid user id (a number) is needed.', 'customerhub');
        }
        if ($field['kind'] === 'link') {
            return __('The id (a number) of a record is needed.', 'customerhub');
        }
        return (string) ($field['help'] ?? '');
    }
}
