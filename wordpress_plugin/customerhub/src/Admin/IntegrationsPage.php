<?php
/** The list of integrations, and the page of one. */

namespace CustomerHub\Admin;

use CustomerHub\Crm\Catalog;
use CustomerHub\Forms\Plugins;
use CustomerHub\Integrations;
use CustomerHub\Settings;

final class IntegrationsPage
{
    public static function show(): void
    {
        if (isset($_GET['edit']) && is_string($_GET['edit'])) {
            IntegrationForm::show(sanitize_key($_GET['edit']));
            return;
        }
        $add = sprintf('<a class="page-title-action" href="%s">%s</a>', esc_url(admin_url('admin.php?page=customerhub&edit=new')), esc_html__('Add an integration', 'customerhub'));
        Page::open(__('Integrations', 'customerhub'), Settings::isComplete() ? $add : '');
        $all = Integrations::all();
        if (!Settings::isComplete()) {
            Page::notice('info', __('Connect the CRM first: see First steps.', 'customerhub'));
        }
        if (!$all) {
            echo '<p>' . esc_html__('No form creates anything in the CRM yet. Add an integration: a form, a module, and which field goes where.', 'customerhub') . '</p>';
            Page::close();
            return;
        }
        $modules = Catalog::modules();
        echo '<table class="widefat striped"><thead><tr>';
        foreach ([__('Name', 'customerhub'), __('Form', 'customerhub'), __('Creates', 'customerhub'), __('Fields', 'customerhub'), __('State', 'customerhub'), ''] as $label) {
            echo $label === '' ? '<td></td>' : '<th scope="col">' . esc_html($label) . '</th>';
        }
        echo '</tr></thead><tbody>';
        foreach ($all as $one) {
            $plugin = Plugins::get($one['source']);
            $forms = $plugin?->isActive() ? $plugin->forms() : [];
            printf(
                '<tr><td><a class="row-title" href="%s">%s</a></td><td>%s: %s</td><td>%s</td><td>%d</td><td>%s</td><td class="customerhub-deeds">',
                esc_url(admin_url('admin.php?page=customerhub&edit=' . rawurlencode($one['id']))),
                esc_html($one['title']),
                esc_html($plugin?->label() ?? $one['source']),
                esc_html($forms[$one['form']] ?? $one['form']),
                esc_html($modules[$one['module']]['plural'] ?? $one['module']),
                count($one['map']) + count($one['fixed']),
                $one['active']
                    ? '<span class="customerhub-badge is-sent">' . esc_html__('on', 'customerhub') . '</span>'
                    : '<span class="customerhub-badge">' . esc_html__('off', 'customerhub') . '</span>'
            );
            Page::button('switch_integration', $one['active'] ? __('Switch off', 'customerhub') : __('Switch on', 'customerhub'), ['id' => $one['id']], 'button button-small');
            Page::button('remove_integration', __('Remove', 'customerhub'), ['id' => $one['id']], 'button button-small customerhub-danger', __('Remove this integration?', 'customerhub'));
            echo '</td></tr>';
        }
        echo '</tbody></table>';
        Page::close();
    }
}
