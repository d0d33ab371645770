<?php
/**
 * What is kept of visitors, and the API key, is sealed with the salts of wp-config.php: a copy of the database alone tells nothing.
 * When the salts are changed, what was sealed before cannot be opened any more; callers say so in plain words.
 */

namespace CustomerHub;

final class Sealing
{
    public static function seal(string $text, string $purpose): string
    {
        $nonce = random_bytes(SODIUM_CRYPTO_SECRETBOX_NONCEBYTES);
        return base64_encode($nonce . sodium_crypto_secretbox($text, $nonce, self::key($purpose)));
    }

    /** Null for what was sealed with other salts, for another purpose, or changed since. */
    public static function open(string $sealed, string $purpose): ?string
    {
        $data = base64_decode($sealed, true);
        if ($data === false || strlen($data) < SODIUM_CRYPTO_SECRETBOX_NONCEBYTES + SODIUM_CRYPTO_SECRETBOX_MACBYTES) {
            return null;
        }
        $nonce = substr($data, 0, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES);
        $text = sodium_crypto_secretbox_open(substr($data, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES), $nonce, self::key($purpose));
        return $text === false ? null : $text;
    }

    private static function key(string $purpose): string
    {
        return hash_hmac('sha256', "customerhub $purpose", wp_salt('auth') . wp_salt('secure_auth'), true);
    }
}
