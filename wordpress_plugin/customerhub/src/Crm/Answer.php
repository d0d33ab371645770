<?php
/** What the CRM answered, or why it did not; with a sentence that tells a person what to do. */

namespace CustomerHub\Crm;

final class Answer
{
    /** @param int $status 0: nothing came back; $why says what the connection said. */
    public function __construct(public readonly int $status, public readonly array $document = [], public readonly string $why = '')
    {
    }

    public function isGood(): bool
    {
        return $this->status >= 200 && $this->status < 300;
    }

    /** Whether to repeat the same would bring the same: the values or a right, not the connection, the key or the moment. */
    public function isFinal(): bool
    {
        return in_array($this->status, [400, 403, 413, 415, 422], true);
    }

    /** One sentence; for refused values with every field by name. */
    public function sentence(): string
    {
        return match (true) {
            $this->isGood() => __('The CRM answers and the API key is accepted.', 'customerhub'),
            $this->status === 0 => sprintf(
                /* translators: %s: what the connection said */
                __('Could not connect: %s.', 'customerhub'),
                rtrim($this->why, '.')
            ),
            $this->status === 401 => __('API key not accepted: it is wrong, expired, deleted, or not for this server’s address.', 'customerhub'),
            $this->status === 403 => $this->faults(__('The API key may not do this: give it the right to create in the module.', 'customerhub')),
            $this->status === 404, $this->status === 405, $this->status >= 300 && $this->status < 400 => __(
                'There is no customerhub at this address. Check the API base URL.',
                'customerhub'
            ),
            $this->status === 429 => __('The CRM asks to wait: too many calls in a minute.', 'customerhub'),
            $this->status >= 500 => sprintf(
                /* translators: %d: a number such as 503 */
                __('The CRM has a problem of its own (%d).', 'customerhub'),
                $this->status
            ),
            default => $this->faults(__('The CRM refused the values.', 'customerhub')),
        };
    }

    private function faults(string $otherwise): string
    {
        $said = [];
        foreach ((array) ($this->document['errors'] ?? []) as $error) {
            $field = basename((string) ($error['source']['pointer'] ?? ''));
            $detail = (string) ($error['detail'] ?? '');
            if ($detail !== '') {
                $said[] = $field === '' ? $detail : "$field: $detail";
            }
        }
        return $said ? mb_substr(implode(' ', $said), 0, 1000) : $otherwise;
    }
}
