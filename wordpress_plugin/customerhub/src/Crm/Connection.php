<?php
/** "Test connection": one sentence, and whether all is well. */

namespace CustomerHub\Crm;

use CustomerHub\Settings;

final class Connection
{
    public function __construct(public readonly bool $isGood, public readonly string $sentence)
    {
    }

    /** Try settings, kept or not. */
    public static function test(?string $baseUrl = null, ?string $apiKey = null, int $timeout = 10): self
    {
        $url = $baseUrl ?? Settings::baseUrl();
        if ($url !== '' && ($fault = Settings::urlFault($url)) !== '') {
            return new self(false, $fault);
        }
        $answer = (new Api($baseUrl, $apiKey))->get('/intakes/modules', $timeout);
        if (!$answer->isGood()) {
            return new self(false, $answer->sentence());
        }
        $names = array_map(static fn($one) => (string) ($one['attributes']['plural'] ?? ''), (array) ($answer->document['data'] ?? []));
        if (!$names) {
            return new self(false, __('The API key is accepted, but it may not create anything. Give it the right to create leads.', 'customerhub'));
        }
        return new self(true, sprintf(
            /* translators: %s: names of modules, such as Leads, Potentials */
            __('The CRM answers and the API key is accepted. It may create: %s.', 'customerhub'),
            implode(', ', $names)
        ));
    }
}
