<?php
/** The plugin is deleted: nothing of it stays, on any site of the network. */

if (!defined('WP_UNINSTALL_PLUGIN')) {
    exit;
}

require_once __DIR__ . '/customerhub.php';

if (is_multisite()) {
    foreach (get_sites(['fields' => 'ids', 'number' => 0]) as $customerhub_site) {
        switch_to_blog($customerhub_site);
        CustomerHub\Lifecycle::forget();
        restore_current_blog();
    }
} else {
    CustomerHub\Lifecycle::forget();
}
