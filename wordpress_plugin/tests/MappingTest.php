<?php

use CustomerHub\Mapping;
use PHPUnit\Framework\TestCase;

final class MappingTest extends TestCase
{
    private const ONE = [
        'module' => 'leads', 'map' => ['name' => 'last_name', 'company' => 'company', 'no-calls' => 'do_not_call'], 'fixed' => ['company' => 'Unknown', 'lead_source' => 'Web Site'],
        'kinds' => ['do_not_call' => ['kind' => 'checkbox']], 'fills' => true, 'campaign' => 7, 'knows_visitor' => true, 'consent_field' => 'news',
        'consent_wording' => 'Send me letters', 'consent_double' => false,
    ];

    public function testTheFormWinsOverConstantsAndEmptyDoesNot(): void
    {
        $found = Mapping::values(self::ONE, ['name' => 'Virta', 'company' => ' ', 'other' => 'x']);
        self::assertSame(['company' => 'Unknown', 'lead_source' => 'Web Site', 'last_name' => 'Virta', 'do_not_call' => false], $found);
        self::assertSame('Virta Oy', Mapping::values(self::ONE, ['company' => 'Virta Oy'])['company']);
    }

    public function testConsentIsSentOnlyWhenTicked(): void
    {
        $kept = ['values' => ['news' => ['1']], 'visitor' => 'AbCdEfGhIjKlMnOpQrStUv', 'at' => 0, 'page' => 'site: form'];
        $body = Mapping::body('id', self::ONE, $kept);
        self::assertSame(['wording' => 'Send me letters', 'source' => 'site: form', 'double' => false], $body['consent']);
        self::assertSame(['AbCdEfGhIjKlMnOpQrStUv', 7, '1970-01-01T00:00:00Z'], [$body['visitor'], $body['campaign_id'], $body['sent_at']]);
        $body = Mapping::body('id', ['knows_visitor' => false] + self::ONE, ['values' => ['news' => '0']] + $kept);
        self::assertArrayNotHasKey('consent', $body);
        self::assertArrayNotHasKey('visitor', $body);
    }
}
