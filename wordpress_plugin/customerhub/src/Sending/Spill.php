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
        $file = self::file();
        if ($file === '' || file_put_contents($file, $line . "\n", FILE_APPEND | LOCK_EX) === false) {
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
        $file = self::file(false);
        if ($file === '' || !is_file($file)) {
            return 0;
        }
        $held = fopen($file, 'c+');
        if ($held === false || !flock($held, LOCK_EX)) {
            return 0;
        }
        $left = '';
        $done = 0;
        while (($line = fgets($held)) !== false) {
            $row = json_decode($line, true);
            if (is_array($row) && !Outbox::put($row)) {
                $left .= $line;
            } elseif (is_array($row)) {
                $done++;
            }
        }
        ftruncate($held, 0);
        rewind($held);
        fwrite($held, $left);
        fflush($held);
        flock($held, LOCK_UN);
        fclose($held);
        return $done;
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
