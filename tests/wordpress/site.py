"""A real WordPress on MariaDB: Debian's packages, a database server and PHP's web server of our own below the folder of the run."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.databases import absent, run_folder
from tests.journeys.house import wait_for
from tests.ports import free_port

PHP = Path(__file__).parent / "php"
TOP = Path(__file__).parents[2]
REAL = "CUSTOMERHUB_TEST_FORM_PLUGINS"  # folders of real form plugins, separated by colons
NEEDED = {"php": "PHP", "mariadbd": "MariaDB", "mariadb-install-db": "MariaDB"}
# Ends a server with the tests that began it, also when those were killed.
WATCHED = '"$@" & child=$!; while kill -0 "$0" 2>/dev/null && kill -0 $child 2>/dev/null; do sleep 1; done; kill -9 -$$'


class Site:
    """One WordPress. `ask()` runs PHP in it, `web` is a browser without scripts, `pass_time()` moves its clock on."""

    def __init__(self) -> None:
        source = _wordpress()
        self.folder = run_folder() / f"wordpress-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        self.root, self.socket, self.mails = self.folder / "site", self.folder / "db" / "sock", self.folder / "mails"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._servers: list[subprocess.Popen[bytes]] = []
        self._is_ready = False
        self.environment = os.environ | {
            "WP_SOCKET": str(self.socket), "WP_PORT": str(self.port), "WP_FOLDER": str(self.root), "PHP_CLI_SERVER_WORKERS": "3",
        }  # fmt: skip
        shutil.rmtree(self.folder, ignore_errors=True)  # of an earlier try
        (self.folder / "db").mkdir(parents=True)
        self._start_database()
        shutil.copytree(source, self.root)
        for name in ("wp-config.php", "router.php"):
            shutil.copy(PHP / name, self.root if name == "wp-config.php" else self.folder)
        (self.root / "wp-content/uploads").mkdir(exist_ok=True)
        self._put_plugins()
        self._start_web()

    # what it consists of

    def _start_database(self) -> None:
        data, is_root = self.folder / "db/data", os.getuid() == 0
        user = ["--user=mysql"] if is_root else []
        if is_root:
            shutil.chown(self.folder / "db", "mysql", "mysql")
        made = [
            "mariadb-install-db",
            "--no-defaults",
            *user,
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        done = subprocess.run(made, capture_output=True, text=True, timeout=120, check=False)
        if (
            done.returncode
        ):  # seen once in a run under heavy load, with nothing said; a second try tells whether it is more
            shutil.rmtree(data, ignore_errors=True)
            done = subprocess.run(made, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        self._serve(
            "mariadbd", "--no-defaults", *user, f"--datadir={data}", f"--socket={self.socket}", f"--pid-file={self.folder}/db/pid",
            "--skip-networking", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
        )  # fmt: skip
        wait_for(lambda: self._sql("SELECT 1").returncode == 0, 60)
        said = "CREATE DATABASE wp CHARACTER SET utf8mb4; CREATE USER wp@localhost IDENTIFIED BY 'wp'; GRANT ALL ON wp.* TO wp@localhost"
        assert self._sql(said).returncode == 0

    def _sql(self, said: str) -> subprocess.CompletedProcess[str]:
        line = [
            "mariadb",
            "--no-defaults",
            "--user=root",
            f"--socket={self.socket}",
            "--batch",
            "--skip-column-names",
            "-e",
            said,
        ]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)

    def sql(self, said: str) -> str:
        """What the database answers, as its administrator."""
        done = self._sql(f"USE wp; {said}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _put_plugins(self) -> None:
        plugins = self.root / "wp-content/plugins"
        made = [sys.executable, TOP / "scripts/build-wordpress-plugin", "--folder", plugins]
        subprocess.run(made, check=True, timeout=60)
        shutil.copytree(
            PHP, plugins / "form-plugins", ignore=shutil.ignore_patterns("wp-config.php", "router.php", "ask.php")
        )
        self.real = [Path(one) for one in os.environ.get(REAL, "").split(":") if one]
        for one in self.real:
            shutil.copytree(one, plugins / one.name)

    def _start_web(self) -> None:
        keep = self.folder / "take-mail"
        keep.write_text(
            f'#!/bin/sh\n[ -e {self.folder}/no-mail ] && exit 1\ncat >>{self.mails}\necho "=====" >>{self.mails}\n'
        )
        keep.chmod(0o755)
        self.ini = ["-d", f"sendmail_path={keep}"]
        installed = self.ask(
            "require ABSPATH . 'wp-admin/includes/upgrade.php';"
            "wp_install('Kaisla', 'admin', 'admin@example.test', false, '', 'green teapot stairs'); return 1;"
        )
        assert installed == 1
        with (self.folder / "php.log").open("ab") as log:
            place = ["-S", f"127.0.0.1:{self.port}", "-t", str(self.root), str(self.folder / "router.php")]
            self._serve("php", *self.ini, "-d", "opcache.enable_cli=1", *place, log=log)
        self.web = httpx.Client(base_url=self.base, timeout=60, follow_redirects=False)
        wait_for(self._answers, 60)
        real = [f"{one.name}/{_main_file(one)}" for one in self.real]
        for plugin in [*real, "form-plugins/form-plugins.php", "customerhub/customerhub.php"]:
            fault = self.ask(
                "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
                f"$e = activate_plugin('{plugin}'); return is_wp_error($e) ? $e->get_error_message() : null;"
            )
            assert fault is None, f"{plugin}: {fault}"
        self._is_ready = True

    def _answers(self) -> bool:
        try:
            return self.web.get("/wp-login.php").status_code == 200
        except httpx.HTTPError:
            return False

    def _serve(self, *words: str, log: Any = subprocess.DEVNULL) -> None:
        line = ["sh", "-c", WATCHED, str(os.getpid()), *words]
        self._servers.append(
            subprocess.Popen(
                line, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        )

    def close(self) -> None:
        for one in reversed(self._servers):
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # what one does with it

    def ask(self, code: str, **environment: str) -> Any:
        """What PHP code returns that runs inside the site; in a process of its own when it is to see another environment."""
        if self._is_ready and not environment:
            answer = self.web.post("/?rest_route=/ch-test/v1/ask", json={"code": code})
            assert answer.status_code == 200, answer.text[:3000]
            return answer.json()["said"]
        line = ["php", *getattr(self, "ini", []), str(PHP / "ask.php")]
        done = subprocess.run(
            line,
            input=code,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "\x1e" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
        return json.loads(done.stdout.rpartition("\x1e")[2])

    def cron(self) -> None:
        """What a cron job does that calls wp-cron.php."""
        assert self.web.get("/wp-cron.php?doing_wp_cron").status_code == 200

    def pass_time(self, seconds: int) -> None:
        """Move everything that the plugin and the schedule know of time back, which is the clock moved on."""
        self.ask(f"""global $wpdb; $t = CustomerHub\\Sending\\Outbox::table();
            foreach (['due_at', 'leased_until', 'created_at', 'tried_at', 'sent_at', 'checked_at'] as $c)
                $wpdb->query("UPDATE $t SET $c = $c - {seconds} WHERE $c > {seconds}");
            foreach (['customerhub_cron_ran_at', 'customerhub_alert_sent_at'] as $o)
                if (get_option($o)) update_option($o, get_option($o) - {seconds});
            $moved = [];
            foreach (_get_cron_array() as $at => $jobs) $moved[$at - {seconds}] = $jobs;
            _set_cron_array($moved);
            delete_transient('doing_cron');
            return 1;""")

    def outbox(self) -> list[dict[str, Any]]:
        """The rows of the outbox, oldest first."""
        found: list[dict[str, Any]] = self.ask(
            "global $wpdb; return $wpdb->get_results('SELECT * FROM ' . CustomerHub\\Sending\\Outbox::table() . ' ORDER BY id', ARRAY_A);"
        )
        return found

    def health(self) -> dict[str, str]:
        """The state of our three checks, as Site Health asks for them."""
        found: dict[str, str] = self.ask(
            "$made = []; foreach (apply_filters('site_status_tests', ['direct' => [], 'async' => []])['direct'] as $name => $test)"
            " if (str_starts_with($name, 'customerhub_')) $made[substr($name, 12)] = call_user_func($test['test'])['status']; return $made;"
        )
        return found

    def log_in(self) -> httpx.Client:
        """A browser of the administrator."""
        web = httpx.Client(base_url=self.base, timeout=60, follow_redirects=True)
        web.get("/wp-login.php")
        said = {"log": "admin", "pwd": "green teapot stairs", "wp-submit": "Log In", "testcookie": "1"}
        assert "wp-admin" in str(web.post("/wp-login.php", data=said).url)
        return web

    def send_form(self, form: int, values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """A visitor sends a form of Contact Form 7; what the plugin answers, with the milliseconds the visitor waited."""
        parts = [("_wpcf7_unit_tag", f"wpcf7-f{form}-o1")]
        for name, value in values.items():
            parts += [(f"{name}[]", one) for one in value] if isinstance(value, list) else [(name, value)]
        files = [(name, (None, value)) for name, value in parts]
        begun = time.perf_counter()
        answer = self.web.post(f"/?rest_route=/contact-form-7/v1/contact-forms/{form}/feedback", files=files, **more)
        assert answer.status_code == 200, answer.text[:2000]
        return answer.json() | {"waited": (time.perf_counter() - begun) * 1000}

    def fire(self, hook: str, *arguments: Any) -> dict[str, Any]:
        """A form plugin's documented hook with its documented arguments, in a request of a visitor."""
        answer = self.web.post("/?rest_route=/ch-test/v1/fire", json={"hook": hook, "arguments": arguments})
        assert answer.status_code == 200, answer.text[:2000]
        return dict(answer.json())

    def notices(self) -> list[str]:
        """What PHP complained of in our plugin."""
        log = self.root / "wp-content/debug.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return [line for line in lines if "/plugins/customerhub/" in line and "PHP " in line]


def _wordpress() -> Path:
    for program, name in NEEDED.items():
        if shutil.which(program) is None:
            absent(f"{name} ({program})")
    listed = (
        subprocess.run(["dpkg", "-L", "wordpress"], capture_output=True, text=True, check=False)
        if shutil.which("dpkg")
        else None
    )
    found = re.search(r"^(/.*)/wp-load\.php$", listed.stdout, re.MULTILINE) if listed else None
    if found is None:
        absent("WordPress")
        raise AssertionError
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
    for one in ("mysqli", "xml", "mbstring", "curl"):
        if one not in modules:
            absent(f"PHP’s {one}")
    return Path(found[1])


def _main_file(folder: Path) -> str:
    return next(
        path.name for path in sorted(folder.glob("*.php")) if "Plugin Name:" in path.read_text(errors="replace")[:4000]
    )
