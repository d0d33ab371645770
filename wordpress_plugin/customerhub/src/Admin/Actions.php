<?php
/** What the forms of our pages do: each asks for the right and its own nonce, acts, tells, and leads back. */

namespace CustomerHub\Admin;

use CustomerHub\Crm\Catalog;
use CustomerHub\Crm\Connection;
use CustomerHub\Integrations;
use CustomerHub\Sending\Outbox;
use CustomerHub\Sending\Reconciliation;
use CustomerHub\Sending\Sender;
use CustomerHub\Settings;

final class Actions
{
    private const ALL = [
        'settings', 'website', 'test', 'purge', 'reset', 'integration', 'remove_integration', 'switch_integration', 'send_now', 'resend', 'resend_all',
        'remove_submission', 'reconcile',
    ];

    public static function register(): void
    {
        foreach (self::ALL as $name) {
            add_action("admin_post_customerhub_$name", static function () use ($name) {
                if (!current_user_can(Menu::right())) {
                    wp_die(esc_html__('You may not do that.', 'customerhub'), 403);
                }
                check_admin_referer("customerhub_$name");
                $back = self::{lcfirst(str_replace('_', '', ucwords($name, '_')))}();
                wp_safe_redirect(admin_url('admin.php?page=' . $back));
                exit;
            });
        }
    }

    private static function settings(): string
    {
        $url = Settings::tidyUrl(self::said('base_url'));
        $plugin = self::said('form_plugin');
        $fault = $url === '' ? '' : Settings::urlFault($url);
        $kept = ['form_plugin' => $plugin, 'alert_to' => sanitize_email(self::said('alert_to'))] + ($fault === '' ? ['base_url' => $url] : []);
        $key = trim(self::said('api_key'));
        if ($key !== '') {
            $kept['api_key'] = $key;
        }
        $isOther = $key !== '' || ($fault === '' && $url !== Settings::baseUrl());
        Settings::keep($kept);
        if ($fault !== '') {
            Page::tell('error', $fault);
        } else {
            Page::tell('success', __('The settings were saved.', 'customerhub'));
            if (str_starts_with($url, 'http://') && !preg_match('#^http://(localhost|127\.)#', $url)) {
                Page::tell('warning', __('The address begins with http://: key and forms travel readable. Use https:// where you can.', 'customerhub'));
            }
            $found = Connection::test(); // also says what is not set yet
            Page::tell($found->isGood ? 'success' : 'error', $found->sentence);
            if ($found->isGood && $isOther) {
                Outbox::wake();
            }
        }
        return self::said('from') === 'welcome' ? 'customerhub-welcome' : 'customerhub-settings';
    }

    private static function website(): string
    {
        $key = is_string($_POST['site_key'] ?? null) ? strtolower(trim(wp_unslash($_POST['site_key']))) : ''; // not cleaned: it may be a line of HTML
        if (preg_match('#/t/([0-9a-f]{20})\.js#', $key, $found)) {
            $key = $found[1]; // the whole line of the CRM was pasted
        }
        $isGood = $key === '' || preg_match('/^[0-9a-f]{20}$/D', $key);
        $url = Settings::tidyUrl(self::said('public_url'));
        $fault = $url === '' ? '' : Settings::urlFault($url);
        Settings::keep(
            ['skips_staff' => self::said('skips_staff') === '1'] + ($isGood ? ['site_key' => $key] : []) + ($fault === '' ? ['public_url' => $url] : [])
        );
        if (!$isGood) {
            Page::tell('error', __('This is no key of a followed site. Copy it, or the whole line, from the page “Snippet” of the site in the CRM.', 'customerhub'));
        } elseif ($fault !== '') {
            Page::tell('error', $fault);
        } else {
            Page::tell('success', __('The settings were saved.', 'customerhub'));
        }
        return 'customerhub-settings&tab=website';
    }

    private static function test(): string
    {
        $found = Connection::test();
        Page::tell($found->isGood ? 'success' : 'error', $found->sentence);
        return 'customerhub-settings';
    }

    private static function purge(): string
    {
        Catalog::forget();
        Page::tell('success', __('What was remembered of the CRM was forgotten; it is asked again when needed.', 'customerhub'));
        return 'customerhub-settings';
    }

    private static function reset(): string
    {
        Settings::forget();
        Integrations::forget();
        Page::tell('success', __('Settings and integrations were removed. Submissions stay until they are sent or deleted.', 'customerhub'));
        return 'customerhub-welcome';
    }

    private static function integration(): string
    {
        $draft = IntegrationForm::read();
        if ($draft['title'] === '' || $draft['form'] === '' || $draft['module'] === '') {
            Page::tell('error', __('An integration needs a name, a form and a module.', 'customerhub'));
            return 'customerhub&edit=' . rawurlencode($draft['id'] ?: 'new');
        }
        $fields = Catalog::fields($draft['module']);
        if (!$fields && $draft['kinds'] === []) {
            Page::tell('error', Catalog::lastFault()?->sentence() ?? __('The fields of the module could not be read.', 'customerhub'));
            return 'customerhub&edit=' . rawurlencode($draft['id'] ?: 'new');
        }
        $id = Integrations::keep($draft);
        Page::tell('success', __('The integration was saved.', 'customerhub'));
        if (!$draft['map'] && !$draft['fixed']) {
            Page::tell('warning', __('No field is mapped yet: nothing is sent until one is.', 'customerhub'));
        } elseif ($missing = Integrations::unmapped($draft, $fields)) {
            Page::tell('warning', sprintf(
                /* translators: %s: labels of fields */
                __('The CRM wants these fields filled, and nothing fills them: %s. Map them or give them a constant.', 'customerhub'),
                implode(', ', $missing)
            ));
        }
        return 'customerhub&edit=' . rawurlencode($id);
    }

    private static function removeIntegration(): string
    {
        Integrations::remove(self::said('id'));
        Page::tell('success', __('The integration was removed.', 'customerhub'));
        return 'customerhub';
    }

    private static function switchIntegration(): string
    {
        $one = Integrations::get(self::said('id'));
        if ($one !== null) {
            Integrations::keep(['active' => !$one['active']] + $one);
        }
        return 'customerhub';
    }

    private static function sendNow(): string
    {
        Outbox::wake("state = 'waiting'");
        $done = Sender::run();
        $counts = Outbox::counts() ?? ['waiting' => 0];
        /* translators: 1: how many were sent, 2: how many still wait */
        Page::tell($counts['waiting'] ? 'warning' : 'success', sprintf(__('Sent: %1$d. Still waiting: %2$d.', 'customerhub'), $done, $counts['waiting']));
        return 'customerhub-outbox';
    }

    private static function resend(): string
    {
        $id = (int) self::said('id');
        if (Outbox::wake("id = $id")) {
            Sender::run();
            $row = Outbox::get($id);
            if ($row !== null && $row->state === Outbox::SENT) {
                Page::tell('success', __('It was sent.', 'customerhub'));
            } else {
                Page::tell('error', (string) ($row->said ?? '') ?: __('It waits for its turn.', 'customerhub'));
            }
        }
        return 'customerhub-outbox';
    }

    private static function resendAll(): string
    {
        Outbox::wake("state = 'failed'");
        return self::sendNow();
    }

    private static function removeSubmission(): string
    {
        Outbox::remove((int) self::said('id'));
        Page::tell('success', __('It was deleted here. The form plugin may still have it.', 'customerhub'));
        return 'customerhub-outbox';
    }

    private static function reconcile(): string
    {
        Reconciliation::run();
        return 'customerhub-outbox';
    }

    private static function said(string $name): string
    {
        return isset($_POST[$name]) && is_string($_POST[$name]) ? sanitize_text_field(wp_unslash($_POST[$name])) : '';
    }
}
