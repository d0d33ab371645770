"""The plugin's sources: units in PHP, Finnish for every sentence, the zip that is uploaded."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from babel.messages.pofile import read_po

from tests.databases import absent

TOP = Path(__file__).parents[2]
PLUGIN = TOP / "wordpress_plugin" / "customerhub"
ONE = re.compile(r"(?:__|esc_html__|esc_attr__)\(\s*'((?:[^'\\]|\\.)*)',\s*'customerhub'\s*\)", re.DOTALL)
MANY = re.compile(r"_n\('((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)', ", re.DOTALL)


def test_units_in_php():
    if shutil.which("phpunit") is None or shutil.which("php") is None:
        absent("PHPUnit")
    tests = PLUGIN.parent / "tests"
    line = ["phpunit", "--do-not-cache-result", "--fail-on-warning", "--bootstrap", tests / "bootstrap.php", tests]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"OK \(\d{2,} tests", done.stdout)


def test_every_sentence_is_there_in_finnish():
    with (PLUGIN / "languages/customerhub-fi.po").open("rb") as text:
        known = {
            message.id if isinstance(message.id, str) else message.id[0]: message.string
            for message in read_po(text)
            if message.id
        }
    said = set()
    for path in PLUGIN.rglob("*.php"):
        code = path.read_text()
        said |= {one.replace("\\'", "'") for one in ONE.findall(code)} | {one for one, _many in MANY.findall(code)}
    assert len(said) > 150
    assert said - set(known) == set()
    assert set(known) - said == set()
    assert not [one for one, string in known.items() if not (all(string) if isinstance(string, tuple) else string)]
    for one, string in known.items():
        for finnish in [string] if isinstance(string, str) else string:
            assert sorted(re.findall(r"%(?:\d\$)?[sd]", one)) == sorted(re.findall(r"%(?:\d\$)?[sd]", finnish)), one


def test_the_zip_has_one_folder_compiled_sentences_and_the_same_bytes_each_time(tmp_path):
    made = []
    for name in ("a.zip", "b.zip"):
        line = [sys.executable, TOP / "scripts/build-wordpress-plugin", "--zip", tmp_path / name]
        subprocess.run(line, check=True, capture_output=True, timeout=60)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert {name.split("/")[0] for name in names} == {"customerhub"}
    assert {
        "customerhub/customerhub.php",
        "customerhub/uninstall.php",
        "customerhub/languages/customerhub-fi.mo",
    } <= set(names)
    assert not [name for name in names if "test" in name.lower()]
