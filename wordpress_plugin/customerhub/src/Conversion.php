<?php
/** A value of a form as a CRM field of some kind takes it. What cannot be read is passed on as it is: the CRM then names it. */

namespace CustomerHub;

use DateTimeImmutable;

final class Conversion
{
    private const DATES = ['Y-m-d', 'd.m.Y', 'j.n.Y', 'd/m/Y', 'd-m-Y', 'Y/m/d', 'm/d/Y'];
    private const TIMES = ['H:i:s', 'H:i', 'G:i', 'H.i', 'g:i A', 'g:i a', 'g:iA'];
    private const NO = ['', '0', 'false', 'no', 'off', 'n', 'ei'];

    /** @param array $field of the CRM: kind, values */
    public static function to(array $field, mixed $value): mixed
    {
        return match ((string) ($field['kind'] ?? 'text')) {
            'checkbox' => self::flag($value),
            'picklist' => self::choice($field, self::first($value)),
            'multi' => array_values(array_map(static fn($one) => self::choice($field, self::plain($one)), self::list($value))),
            'day' => self::moment(self::first($value), self::DATES, 'Y-m-d'),
            'time' => self::moment(self::first($value), self::TIMES, 'H:i:s'),
            'moment' => self::moment(self::first($value), self::both(), 'Y-m-d H:i:s'),
            'link', 'owner', 'user', 'whole' => self::number(self::first($value)),
            default => implode(', ', array_filter(array_map([self::class, 'plain'], self::list($value)), static fn($one) => $one !== '')),
        };
    }

    /** Whether a value says anything at all: an empty one leaves a constant in place. */
    public static function isEmpty(mixed $value): bool
    {
        return self::list($value) === [] || implode('', array_map([self::class, 'plain'], self::list($value))) === '';
    }

    public static function flag(mixed $value): bool
    {
        $list = self::list($value);
        if ($list === []) {
            return false;
        }
        $first = $list[0];
        return is_bool($first) ? $first : !in_array(mb_strtolower(self::plain($first)), self::NO, true);
    }

    private static function choice(array $field, string $said): string
    {
        foreach ((array) ($field['values'] ?? []) as $one) {
            if ((string) $one['key'] === $said) {
                return $said;
            }
        }
        foreach ((array) ($field['values'] ?? []) as $one) {
            if (mb_strtolower((string) $one['label']) === mb_strtolower($said) || mb_strtolower((string) $one['key']) === mb_strtolower($said)) {
                return (string) $one['key'];
            }
        }
        return $said;
    }

    private static function number(string $said): int|string
    {
        return preg_match('/^\d{1,18}$/', $said) ? (int) $said : $said;
    }

    private static function moment(string $said, array $shapes, string $wanted): string
    {
        foreach ($shapes as $shape) {
            $found = DateTimeImmutable::createFromFormat('!' . $shape, $said);
            if ($found !== false && $found->format($shape) === $said) {
                return $found->format($wanted);
            }
        }
        return $said;
    }

    /** @return string[] */
    private static function both(): array
    {
        $made = ['Y-m-d\TH:i:s', 'Y-m-d\TH:i', 'Y-m-d H:i:s'];
        foreach (self::DATES as $date) {
            foreach (self::TIMES as $time) {
                $made[] = "$date $time";
            }
        }
        return $made;
    }

    private static function first(mixed $value): string
    {
        return self::plain(self::list($value)[0] ?? '');
    }

    /** @return array<int, mixed> */
    private static function list(mixed $value): array
    {
        return $value === null ? [] : (is_array($value) ? array_values(array_filter($value, 'is_scalar')) : [$value]);
    }

    private static function plain(mixed $value): string
    {
        return is_bool($value) ? ($value ? '1' : '0') : trim(str_replace("\0", '', (string) $value));
    }
}
