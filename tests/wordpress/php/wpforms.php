<?php
function wpforms(): object
{
    return (object) ['form' => new class {
        public function get($id = '', array $asked = []): array
        {
            return get_posts(['post_type' => 'wpforms', 'numberposts' => -1, 'post_status' => 'any']);
        }
    }];
}

function wpforms_decode(string $text): array
{
    return (array) json_decode($text, true);
}

add_action('init', static fn() => register_post_type('wpforms', ['public' => false]));
