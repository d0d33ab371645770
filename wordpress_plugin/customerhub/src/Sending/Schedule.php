<?php
/** When things are sent: right after the answer to the visitor where the server can do that, by a single event, hourly, and checked daily. */

namespace CustomerHub\Sending;

final class Schedule
{
    public const SEND = 'customerhub_send';
    public const HOURLY = 'customerhub_hourly';
    public const DAILY = 'customerhub_daily';
    public const RAN = 'customerhub_cron_ran_at';

    private static bool $isSoon = false;

    public static function register(): void
    {
        add_action(self::SEND, [Sender::class, 'run']);
        add_action(self::HOURLY, [self::class, 'hourly']);
        add_action(self::DAILY, [self::class, 'daily']);
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
