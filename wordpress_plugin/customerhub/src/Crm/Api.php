<?php
/** The one place that talks to the CRM: REST, JSON, the key in a header. Redirects are never followed, they would take the key along. */

namespace CustomerHub\Crm;

use CustomerHub\Settings;
use const CustomerHub\VERSION;

final class Api
{
    private const MEDIA_TYPE = 'application/vnd.api+json';

    /** Settings that are not kept yet can be tried by giving them. */
    public function __construct(private ?string $baseUrl = null, private ?string $apiKey = null)
    {
        $this->baseUrl ??= Settings::baseUrl();
        $this->apiKey ??= Settings::apiKey();
    }

    public function get(string $path, int $timeout = 10): Answer
    {
        return $this->call('GET', $path, null, [], $timeout);
    }

    /** @param string $once the same name with the same body has one effect */
    public function post(string $path, array $body, string $once = '', int $timeout = 20): Answer
    {
        return $this->call('POST', $path, $body, $once === '' ? [] : ['Idempotency-Key' => $once], $timeout);
    }

    private function call(string $method, string $path, ?array $body, array $headers, int $timeout): Answer
    {
        if ($this->baseUrl === '') {
            return new Answer(0, [], __('the API base URL is not set', 'customerhub'));
        }
        if ($this->apiKey === '') {
            $lost = __('the API key cannot be read since the salts of this site were changed; enter it again', 'customerhub');
            return new Answer(0, [], Settings::isKeyLost() ? $lost : __('the API key is not set', 'customerhub'));
        }
        $asked = [
            'method' => $method, 'timeout' => $timeout, 'redirection' => 0, 'user-agent' => 'customerhub-wordpress/' . VERSION,
            'headers' => ['Authorization' => "Bearer {$this->apiKey}", 'Accept' => self::MEDIA_TYPE] + $headers,
            'limit_response_size' => 2 * MB_IN_BYTES,
        ];
        if ($body !== null) {
            $asked['headers']['Content-Type'] = self::MEDIA_TYPE;
            $asked['body'] = wp_json_encode($body, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
        }
        $url = "{$this->baseUrl}/api/v1$path";
        if (!$this->isPrivateAllowed() && !wp_http_validate_url($url)) {
            return new Answer(0, [], __(
                'the address is of a private network or an unusual port; if that is meant, define CUSTOMERHUB_ALLOW_PRIVATE in wp-config.php',
                'customerhub'
            ));
        }
        $found = wp_remote_request($url, $asked);
        if (is_wp_error($found)) {
            return new Answer(0, [], $found->get_error_message());
        }
        $status = (int) wp_remote_retrieve_response_code($found);
        $document = json_decode((string) wp_remote_retrieve_body($found), true);
        $isOurs = is_array($document) || $status === 204;
        // A web server that answers every address with a page of its own is not the CRM.
        return new Answer($isOurs || $status >= 300 ? $status : 404, is_array($document) ? $document : []);
    }

    private function isPrivateAllowed(): bool
    {
        return defined('CUSTOMERHUB_ALLOW_PRIVATE') && constant('CUSTOMERHUB_ALLOW_PRIVATE');
    }
}
