<?php
/**
 * Plugin Name: customerhub
 * Description: Forms of this site become leads, potentials and contacts in customerhub; nothing is lost while it cannot be reached.
 * Version: 1.0.0
 * Requires at least: 6.0
 * Requires PHP: 8.0
 * License: GPL-2.0-or-later
 * Text Domain: customerhub
 * Domain Path: /languages
 *
 * This file only says where the parts are; src/Plugin.php names them in order.
 */

namespace CustomerHub;

if (!defined('ABSPATH')) {
    exit;
}

const VERSION = '1.0.0';
const FILE = __FILE__;

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, __NAMESPACE__ . '\\')) {
        $path = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, strlen(__NAMESPACE__) + 1)) . '.php';
        if (is_file($path)) {
            require $path;
        }
    }
});

register_activation_hook(FILE, [Lifecycle::class, 'activate']);
register_deactivation_hook(FILE, [Lifecycle::class, 'deactivate']);
Plugin::start();
