<?php
/** What visitors sent and what became of it. Nothing of its content is shown: it is sealed, and the form plugin has it. */

namespace CustomerHub\Admin;

use CustomerHub\Forms\Plugins;
use CustomerHub\Integrations;
use CustomerHub\Sending\Outbox;
use CustomerHub\Sending\Reconciliation;
use CustomerHub\Sending\Sender;
use CustomerHub\Sending\Spill;

final class OutboxPage
{
    public static function show(): void
    {
        Page::open(__('Submissions', 'customerhub'));
        $counts = Outbox::counts();
        if ($counts === null) {
            Page::notice('error', __('The table of submissions cannot be read. Ask whoever runs the database; submissions wait in a file.', 'customerhub'));
            Page::button('send_now', __('Send now', 'customerhub')); // makes the table anew where it is gone
            Page::close();
            return;
        }
        if ($spilled = Spill::count()) {
            /* translators: %d: how many */
            Page::notice('error', sprintf(_n('%d submission waits in a file, because the database did not take it.', '%d submissions wait in a file, because the database did not take them.', $spilled, 'customerhub'), $spilled));
        }
        self::check();
        $states = ['' => __('All', 'customerhub'), 'waiting' => __('Waiting', 'customerhub'), 'sent' => __('Sent', 'customerhub'), 'failed' => __('Given up', 'customerhub')];
        $state = isset($_GET['state']) && is_string($_GET['state']) && isset($states[$_GET['state']]) ? $_GET['state'] : '';
        echo '<ul class="subsubsub">';
        foreach ($states as $key => $label) {
            $count = $key === '' ? $counts['waiting'] + $counts['sent'] + $counts['failed'] : $counts[$key];
            printf(
                '<li><a href="%s"%s>%s <span class="count">(%d)</span></a>%s</li>',
                esc_url(admin_url('admin.php?page=customerhub-outbox' . ($key === '' ? '' : "&state=$key"))),
                $key === $state ? ' class="current" aria-current="page"' : '',
                esc_html($label),
                $count,
                $key === 'failed' ? '' : ' |'
            );
        }
        echo '</ul><div class="customerhub-tools">';
        if ($counts['waiting'] || $spilled) {
            Page::button('send_now', __('Send now', 'customerhub'));
        }
        if ($counts['failed']) {
            Page::button('resend_all', __('Send all given-up ones again', 'customerhub'));
        }
        echo '</div>';
        $page = max(1, absint($_GET['paged'] ?? 1));
        self::table(Outbox::page($state, $page));
        $pages = (int) ceil(($state === '' ? $counts['waiting'] + $counts['sent'] + $counts['failed'] : $counts[$state]) / 50);
        if ($pages > 1) {
            echo '<div class="tablenav"><div class="tablenav-pages">' . wp_kses_post((string) paginate_links(['base' => add_query_arg('paged', '%#%'), 'format' => '', 'current' => $page, 'total' => $pages])) . '</div></div>';
        }
        Page::close();
    }

    private static function check(): void
    {
        $last = Reconciliation::last();
        echo '<div class="customerhub-check"><p>';
        if ($last === null) {
            echo esc_html__('Once a day it is checked that what was sent from here is in the CRM. That has not happened yet.', 'customerhub');
        } elseif ($last['here'] === 0 && $last['said'] !== '') {
            echo esc_html(self::at((int) $last['at']) . ': ' . $last['said']);
        } else {
            /* translators: 1: a time, 2: sent from here, 3: found there */
            echo esc_html(sprintf(__('Daily check, %1$s: stored here %2$d, found in the CRM %3$d.', 'customerhub'), self::at((int) $last['at']), $last['here'], $last['there']));
            if ($last['missing']) {
                /* translators: %d: how many */
                echo ' <strong>' . esc_html(sprintf(__('Missing: %d; they are sent again.', 'customerhub'), $last['missing'])) . '</strong>';
            }
            if ($last['said'] !== '') {
                echo ' ' . esc_html($last['said']);
            }
        }
        echo '</p>';
        Page::button('reconcile', __('Check now', 'customerhub'), [], 'button button-small');
        echo '</div>';
    }

    /** @param object[] $rows */
    private static function table(array $rows): void
    {
        if (!$rows) {
            echo '<p>' . esc_html__('Nothing here. Send a form that has an integration, and it shows up at once.', 'customerhub') . '</p>';
            return;
        }
        echo '<table class="widefat striped"><thead><tr>';
        foreach ([__('Received', 'customerhub'), __('Integration', 'customerhub'), __('State', 'customerhub'), __('Tries', 'customerhub'), __('What was said', 'customerhub'), ''] as $label) {
            echo $label === '' ? '<td></td>' : '<th scope="col">' . esc_html($label) . '</th>';
        }
        echo '</tr></thead><tbody>';
        foreach ($rows as $row) {
            $integration = Integrations::get($row->integration);
            printf(
                '<tr><td>%s</td><td>%s</td><td>%s</td><td data-label="%s">%d</td><td>%s</td><td class="customerhub-deeds">',
                esc_html(self::at((int) $row->created_at)),
                esc_html($integration['title'] ?? (Plugins::get($row->source)?->label() ?? $row->source) . ' ' . $row->form),
                self::badge($row),
                esc_attr__('Tries', 'customerhub'),
                (int) $row->attempts,
                esc_html($row->state === Outbox::SENT ? $row->record : $row->said)
            );
            if ($row->state !== Outbox::SENT) {
                Page::button('resend', __('Send again', 'customerhub'), ['id' => $row->id], 'button button-small');
                Page::button('remove_submission', __('Delete', 'customerhub'), ['id' => $row->id], 'button button-small customerhub-danger', __('Delete this submission for good?', 'customerhub'));
            }
            echo '</td></tr>';
        }
        echo '</tbody></table>';
    }

    private static function badge(object $row): string
    {
        $said = match ($row->state) {
            Outbox::SENT => __('sent', 'customerhub'),
            Outbox::FAILED => __('given up', 'customerhub'),
            /* translators: %s: a time */
            default => $row->attempts ? sprintf(__('again at %s', 'customerhub'), self::at((int) $row->due_at)) : __('waiting', 'customerhub'),
        };
        return '<span class="customerhub-badge is-' . esc_attr($row->state) . '">' . esc_html($said) . '</span>';
    }

    private static function at(int $moment): string
    {
        return wp_date(get_option('date_format') . ' ' . get_option('time_format'), $moment) ?: '';
    }
}
