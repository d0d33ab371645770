<?php

use CustomerHub\Crm\Answer;
use CustomerHub\Sealing;
use CustomerHub\Settings;
use PHPUnit\Framework\TestCase;

final class SealingTest extends TestCase
{
    public function testOnlyTheSameSaltsAndPurposeOpen(): void
    {
        $sealed = Sealing::seal('Virta', 'outbox');
        self::assertStringNotContainsString('Virta', (string) base64_decode($sealed));
        self::assertNotSame($sealed, Sealing::seal('Virta', 'outbox'));
        self::assertSame('Virta', Sealing::open($sealed, 'outbox'));
        self::assertNull(Sealing::open($sealed, 'api key'));
        foreach (['', 'x', '%%%', substr($sealed, 4), ($sealed[0] === 'A' ? 'B' : 'A') . substr($sealed, 1)] as $wrong) {
            self::assertNull(Sealing::open($wrong, 'outbox'));
        }
        $GLOBALS['salt'] = 'other';
        self::assertNull(Sealing::open($sealed, 'outbox'));
        $GLOBALS['salt'] = 'salt';
    }

    public function testAddressesAsPeopleTypeThem(): void
    {
        foreach (['crm.example.com', 'https://crm.example.com/', ' crm.example.com/api/v1/ ', 'https://crm.example.com/api', 'https://crm.example.com/crm/contacts/12'] as $said) {
            self::assertSame('https://crm.example.com', Settings::tidyUrl($said));
        }
        self::assertSame('http://crm.example.com:8080/hub', Settings::tidyUrl('http://crm.example.com:8080/hub'));
        foreach (['https://', 'ftp://x.example', 'https://me:pw@x.example', 'https://x.example/?a', 'javascript:alert(1)', 'https://not a url'] as $wrong) {
            self::assertNotSame('', Settings::urlFault($wrong));
        }
        self::assertSame('', Settings::urlFault('https://crm.example.com'));
    }

    public function testWhatIsWrongIsSaidByField(): void
    {
        $said = new Answer(422, ['errors' => [['detail' => 'Not there.', 'source' => ['pointer' => '/data/attributes/cf_9']], ['detail' => 'No.']]]);
        self::assertSame('cf_9: Not there. No.', $said->sentence());
        self::assertTrue($said->isFinal());
        foreach ([0, 401, 404, 429, 500, 503] as $passing) {
            self::assertFalse((new Answer($passing))->isFinal());
        }
    }
}
