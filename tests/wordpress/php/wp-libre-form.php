<?php
add_action('init', static function (): void {
    register_post_type('wplf-form', ['public' => false]);
    register_post_type('wplf-submission', ['public' => false]);
});
