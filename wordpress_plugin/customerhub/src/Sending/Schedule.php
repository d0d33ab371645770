<?php
/**
 * When things are sent: right after the answer to the visitor where the server can do that, by a single event, hourly, and checked daily.
 * Where WP-Cron is switched off and nothing calls wp-cron.php instead, pages that are asked for see to it.
 */

namespace CustomerHub\Sending;

final class Schedule
{
    public const SEND = 'customerhub_send';
    public const HOURLY = 'customerhub_hourly';
    public const DAILY = 'customerhub_daily';
    public const RAN = 'customerhub_cron_ran_at';
    private const CATCH_UP = 'customerhub_catch_up';
    private const LATE = 15 * MINUTE_IN_SECONDS;

    private static bool $isSoon = false;

    public static function register(): void
    {
        add_action(self::SEND, [Sender::class, 'run']);
        add_action(self::HOURLY, [self::class, 'hourly']);
        add_action(self::DAILY, [self::class, 'daily']);
        foreach (['wp_ajax_', 'wp_ajax_nopriv_'] as $who) { // whoever calls it: it does what is late, and nothing else
            add_action($who . self::CATCH_UP, [self::class, 'catchUp']);
        }
        add_action('init', [self::class, 'nudge'], 30);
    }

    public static function set(): void
    {
        if (!wp_next_scheduled(self::HOURLY)) {
            wp_schedule_event(time() + HOUR_IN_SECONDS, 'hourly', self::HOURLY);
        }
        if (!wp_next_scheduled(self::DAILY)) {
            wp_schedule_event(time() + DAY_IN_SECONDS, 'daily', self::DAILY);
        }
        add_option(self::RAN, time(), '', false);
    }

    public static function clear(): void
    {
        foreach ([self::SEND, self::HOURLY, self::DAILY] as $hook) {
            wp_clear_scheduled_hook($hook);
        }
    }

    /** Something waits: see to it after this page was answered. */
    public static function soon(): void
    {
        if (self::$isSoon) {
            return;
        }
        self::$isSoon = true;
        if (!wp_next_scheduled(self::SEND)) {
            wp_schedule_single_event(time(), self::SEND);
        }
        if (function_exists('fastcgi_finish_request') && !wp_doing_cron()) {
            add_action('shutdown', [self::class, 'afterAnswer'], PHP_INT_MAX);
        }
    }

    public static function afterAnswer(): void
    {
        ignore_user_abort(true);
        fastcgi_finish_request();
        Sender::run();
    }

    /** A page is asked for, and our work is late: a request of the site to itself does it, nobody waits. Asks the database nothing unless it is so. */
    public static function nudge(): void
    {
        $isOff = defined('DISABLE_WP_CRON') && DISABLE_WP_CRON; // else WordPress does the same for all its work
        $isPage = ($_SERVER['REQUEST_METHOD'] ?? '') === 'GET' && !wp_doing_cron() && !wp_doing_ajax();
        if (!$isOff || !$isPage || !self::isOverdue(self::LATE) || get_transient(self::CATCH_UP)) {
            return;
        }
        set_transient(self::CATCH_UP, 1, 10 * MINUTE_IN_SECONDS);
        wp_remote_post(admin_url('admin-ajax.php?action=' . self::CATCH_UP), [
            'timeout' => 0.01, 'blocking' => false, 'sslverify' => apply_filters('https_local_ssl_verify', false),
        ]);
    }

    public static function catchUp(): void
    {
        if (!self::isOverdue(self::LATE)) {
            return;
        }
        ignore_user_abort(true);
        if (function_exists('fastcgi_finish_request')) {
            fastcgi_finish_request();
        } elseif (!headers_sent()) { // the page that asked waits for no more than this
            header('Content-Length: 0');
            flush();
        }
        wp_clear_scheduled_hook(self::SEND);
        foreach ([self::HOURLY => HOUR_IN_SECONDS, self::DAILY => DAY_IN_SECONDS] as $hook => $every) {
            $at = wp_next_scheduled($hook);
            if ($at !== false && $at <= time()) { // put off first: a second request finds nothing to do
                wp_clear_scheduled_hook($hook);
                wp_schedule_event(time() + $every, $hook === self::DAILY ? 'daily' : 'hourly', $hook);
                $late[] = $hook;
            }
        }
        Sender::probe();
        Sender::run();
        in_array(self::DAILY, $late ?? [], true) ? self::daily() : Alerts::send();
    }

    /** Whether what was to be done is late by so many seconds. */
    public static function isOverdue(int $seconds): bool
    {
        $due = array_filter([wp_next_scheduled(self::SEND), wp_next_scheduled(self::HOURLY)]);
        return $due && min($due) < time() - $seconds;
    }

    public static function hourly(): void
    {
        update_option(self::RAN, time(), false);
        Sender::probe();
        Sender::run();
        Alerts::send();
    }

    public static function daily(): void
    {
        Reconciliation::run();
        Outbox::sweep(time());
        Alerts::send();
    }

    /** Whether scheduled work runs on this site at all. */
    public static function isLate(): bool
    {
        return (int) get_option(self::RAN, time()) < time() - 3 * HOUR_IN_SECONDS;
    }
}
