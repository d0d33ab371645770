<?php

use CustomerHub\Conversion;
use PHPUnit\Framework\TestCase;

final class ConversionTest extends TestCase
{
    private const RATING = ['kind' => 'picklist', 'values' => [['key' => 'hot', 'label' => 'Hot & new'], ['key' => 'cold', 'label' => 'Cold']]];

    /** @dataProvider values */
    public function testAValueArrivesAsTheCrmTakesIt(array $field, mixed $said, mixed $wanted): void
    {
        self::assertSame($wanted, Conversion::to($field, $said));
    }

    public static function values(): array
    {
        $day = ['kind' => 'day'];
        $moment = ['kind' => 'moment'];
        $box = ['kind' => 'checkbox'];
        return [
            [$day, '2026-11-30', '2026-11-30'], [$day, '30.11.2026', '2026-11-30'], [$day, '1.2.2026', '2026-02-01'], [$day, '11/30/2026', '2026-11-30'],
            [$day, '31.2.2026', '31.2.2026'], [$day, 'soon', 'soon'], [$day, '', ''], [$day, ['2026-11-30'], '2026-11-30'],
            [$moment, '2026-11-30T14:05', '2026-11-30 14:05:00'], [$moment, '30.11.2026 14:05', '2026-11-30 14:05:00'], [$moment, 'x', 'x'],
            [['kind' => 'time'], '14:05', '14:05:00'], [['kind' => 'time'], '2:05 PM', '14:05:00'], [['kind' => 'time'], '25:00', '25:00'],
            [$box, ['1'], true], [$box, '1', true], [$box, 'on', true], [$box, 'false', false], [$box, '', false], [$box, [], false], [$box, ['ei'], false], [$box, null, false],
            [self::RATING, ['hot', 'cold'], 'hot'], [self::RATING, 'hot & NEW', 'hot'], [self::RATING, 'Boiling', 'Boiling'],
            [['kind' => 'multi'] + self::RATING, ['Cold', 'hot'], ['cold', 'hot']], [['kind' => 'multi'] + self::RATING, 'Cold', ['cold']],
            [['kind' => 'text'], ['a', '', 'b'], 'a, b'], [['kind' => 'text'], " a\0b ", 'ab'], [[], ['x' => ['deep']], ''],
            [['kind' => 'owner'], ' 12 ', 12], [['kind' => 'link'], 'Acme', 'Acme'], [['kind' => 'whole'], '1e3', '1e3'], [['kind' => 'money'], '1 234,50', '1 234,50'],
        ];
    }

    public function testEmptyIsEmpty(): void
    {
        foreach ([null, '', [], [''], ' ', [' ', '']] as $said) {
            self::assertTrue(Conversion::isEmpty($said));
        }
        self::assertFalse(Conversion::isEmpty('0'));
    }
}
