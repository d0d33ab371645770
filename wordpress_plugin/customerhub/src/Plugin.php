<?php
/** The parts of the plugin, in the order in which they are put in place. */

namespace CustomerHub;

final class Plugin
{
    public static function start(): void
    {
        add_action('init', static fn() => load_plugin_textdomain('customerhub', false, dirname(plugin_basename(FILE)) . '/languages'));
        add_action('plugins_loaded', [Lifecycle::class, 'keepUp']);
        add_action('init', [self::class, 'listen'], 20);
        Sending\Schedule::register();
        Health::register();
        Privacy::register();
        Site\Tracking::register();
        Site\Embeds::register();
        if (is_admin()) {
            Admin\Menu::register();
        }
    }

    /** Hear of every form plugin that is active and has an integration; of others nothing is touched. */
    public static function listen(): void
    {
        $wanted = array_unique(array_column(Integrations::all(), 'source'));
        foreach (Forms\Plugins::active() as $plugin) {
            if (in_array($plugin->key(), $wanted, true)) {
                $plugin->listen([Intake::class, 'take']);
            }
        }
    }
}
