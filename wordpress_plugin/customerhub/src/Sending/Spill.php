<?php
/**
 * Where submissions go while the database takes none: sealed lines in a file beside the uploads, else in the server's log. The next run of the
 * schedule brings them into the table.
 */

namespace CustomerHub\Sending;

final class Spill
{
    private const NOTED = 'customerhub_spilled';

    public static function put(array $row): void
    {
        $line = wp_json_encode($row);
        if (!self::append(self::file(), "$line\n")) {
            // The payload in it is sealed; put into waiting.log in our folder of the uploads, the line is taken up again.
            error_log("customerhub: neither the database nor a file takes a submission: $line");
        }
    }

    /** How many wait in the file. */
    public static function count(): int
    {
        $file = self::file(false);
        return $file !== '' && is_file($file) ? substr_count((string) file_get_contents($file), "\n") : 0;
    }

    /** Bring what waits into the table; gives how many came. */
    public static function drain(): int
    {
        return self::sift(static fn($row) => !Outbox::put($row));
    }

    /** @return array[] what waits in the file */
    public static function rows(): array
    {
        $file = self::file(false);
        $lines = $file !== '' && is_file($file) ? file($file) : [];
        return array_values(array_filter(array_map(static fn($line) => json_decode($line, true), $lines ?: []), 'is_array'));
    }

    /** Take out of the file every row that does not stay, by what `$stays` says of it; gives how many went. */
    public static function sift(callable $stays): int
    {
        $file = self::file(false);
        $held = $file !== '' && is_file($file) ? fopen($file, 'c+') : false;
        if ($held === false || !flock($held, LOCK_EX)) {
            return 0;
        }
        $left = '';
        $gone = 0;
        while (($line = fgets($held)) !== false) {
            $row = json_decode($line, true);
            if (is_array($row) && $stays($row)) {
                $left .= $line;
            } elseif (is_array($row)) {
                $gone++;
            }
        }
        if ($gone > 0) {
            // What stays is written over the beginning before the rest is cut off: a disk that is full takes that, and no moment is without the rows.
            rewind($held);
            fwrite($held, $left);
            fflush($held);
            ftruncate($held, strlen($left));
        }
        flock($held, LOCK_UN);
        fclose($held);
        return $gone;
    }

    public static function remove(): void
    {
        $folder = self::folder();
        foreach ($folder === '' ? [] : (glob("$folder/{,.}[!.]*", GLOB_BRACE) ?: []) as $file) {
            unlink($file);
        }
        if ($folder !== '' && is_dir($folder)) {
            rmdir($folder);
        }
        delete_option(self::NOTED);
    }

    /** The whole text or nothing: half a line of a disk that is full would spoil the next one. */
    private static function append(string $file, string $text): bool
    {
        $held = $file === '' ? false : @fopen($file, 'a');
        if ($held === false || !flock($held, LOCK_EX)) {
            return false;
        }
        $size = (int) fstat($held)['size'];
        $isWhole = @fwrite($held, $text) === strlen($text) && fflush($held);
        if (!$isWhole) {
            ftruncate($held, $size);
        }
        fclose($held);
        return $isWhole;
    }

    private static function file(bool $make = true): string
    {
        $folder = self::folder();
        if ($folder === '') {
            return '';
        }
        if ($make && !is_dir($folder)) {
            wp_mkdir_p($folder);
            @file_put_contents("$folder/.htaccess", "Require all denied\nDeny from all\n");
            @file_put_contents("$folder/index.php", "<?php\n");
        }
        return !$make || is_writable($folder) ? "$folder/waiting.log" : '';
    }

    private static function folder(): string
    {
        $uploads = wp_upload_dir(null, false);
        // The name cannot be guessed, for servers that do not know .htaccess.
        return empty($uploads['basedir']) ? '' : $uploads['basedir'] . '/customerhub-' . substr(wp_hash('customerhub spill', 'nonce'), 0, 16);
    }
}
