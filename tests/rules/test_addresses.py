"""Nothing in the project names a machine, a package host or another site: not in files, not in locks, not in built assets."""

import json
import re

import pytest

from tests.rules.checkout import TOP, files, matching, relative

LOCKS = ("requirements.lock", "requirements-dev.lock", "package-lock.json")
# Put together here, so that this file does not name what it forbids.
MACHINE = re.compile(
    "|".join(
        [r"(?<![\w.])/wo" + r"rk/(main|shared)", r"/ro" + r"ot/\.", r"/tmp/st" + r"udio", r"/opt/(py" + r"pi|wheels)"]
    )
)
HOSTS = re.compile(
    "|".join(["py" + r"pi\.org", "pythonhosted" + r"\.org", "npm" + r"js\.(org|com)", "proxy" + r"\.golang"])
)
# What browsers never fetch: names of XML namespaces.
NAMESPACE = re.compile(r"^http://www\.w3\.org/")
RESERVED = re.compile(r"(^|[.-])(example\.(com|org|net|co\.uk)|example|test|invalid|localhost)$")
LICENCES = {"MIT", "Apache-2.0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "OFL-1.1"}  # the last one of fonts


def texts():
    for path in files():
        if path.suffix in {".png", ".jpg", ".ico", ".woff2", ".gz", ".mo", ".webp"}:
            continue
        yield relative(path), path.read_text(errors="replace")


@pytest.mark.parametrize("forbidden", [MACHINE, HOSTS], ids=["machines", "package hosts"])
def test_no_file_names(forbidden):
    found = [f"{place}: {match.group()}" for place, text in texts() for match in forbidden.finditer(text)]
    assert not found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_only(name):
    text = (TOP / name).read_text()
    assert not re.findall(r"\w+://\S+", text)
    assert "sha512-" in text or "sha256:" in text


@pytest.mark.parametrize("name", LOCKS[:2])
def test_every_locked_python_package_has_hashes(name):
    blocks = re.split(r"\n(?=\S)", (TOP / name).read_text().strip())
    assert [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_every_locked_browser_package_has_a_hash():
    packages = json.loads((TOP / "package-lock.json").read_text())["packages"]
    assert [name for name, said in packages.items() if name and "integrity" not in said] == []


def test_browser_packages_have_licences_that_let_us_ship_them():
    packages = json.loads((TOP / "package-lock.json").read_text())["packages"]
    assert {said.get("license") for name, said in packages.items() if name} <= LICENCES


def test_the_lock_fits_what_the_project_asks_for():
    import tomllib

    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = set(re.findall(r"^([\w.-]+)==", (TOP / "requirements-dev.lock").read_text(), re.MULTILINE))
    missing = [said for said in asked if re.match(r"[\w.-]+", said).group().lower().replace("_", "-") not in locked]
    assert not missing, f"run `make lock`: {missing}"


@pytest.fixture(scope="module")
def built():
    folder = TOP / "crm/static/build"
    if not (folder / "manifest.json").exists():
        pytest.fail("The browser files are not built: run `make setup`.")
    return folder


def test_no_built_file_refers_to_another_host(built):
    found = set()
    for path in built.iterdir():
        # The visual editor's library names others' addresses (of pictures and maps it could show) that are not asked for:
        # journeys/test_the_visual_editor.py counts the requests to other hosts.
        if (
            path.name == "licences.txt"
            or path.name.startswith("visual-")
            or path.suffix not in {".js", ".css", ".svg", ".json"}
        ):
            continue
        for address in re.findall(r"""(?:https?:)?//[a-z0-9][\w.-]*\.[a-z]{2,}[^\s"'`)\\]*""", path.read_text()):
            if not NAMESPACE.match(address):
                found.add((path.name.split("-")[0], address))
    # Addresses of documentation inside texts of warnings; nothing fetches them.
    told = {"alpinejs.dev", "popper.js.org"}
    assert {one for one in found if re.sub(r"^(https?:)?//", "", one[1]).split("/")[0] not in told} == set()


def test_the_first_load_stays_under_150_kilobytes_of_script(built):
    import gzip

    manifest = json.loads((built / "manifest.json").read_text())
    frame = (TOP / "crm" / "templates" / "page.html").read_text()
    first = re.findall(r"""asset\(['"]([\w.-]+\.js)['"]\)""", frame)  # what every page loads
    assert "app.js" in first
    size = sum(len(gzip.compress((built / manifest[name]).read_bytes())) for name in first)
    assert size < 150_000, first


def test_every_icon_that_pages_name_exists(built):
    known = set(re.findall(r'<symbol id="([^"]+)"', next(built.glob("icons-*.svg")).read_text()))
    pattern = re.compile(r"""\bicon(?:\(\s*|=)["']([a-z][a-z0-9-]*)["']""")
    used = {
        (name, relative(path))
        for path in matching(r"^(crm|ecp|hub)/(?!static/).*\.(html|py|js)$")
        for name in pattern.findall(path.read_text())
    }
    assert {one for one in used if one[0] not in known} == set()


def test_addresses_of_people_in_demo_data_and_tests_are_reserved_ones():
    pattern = re.compile(r"[\w.+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})\b", re.IGNORECASE)
    found = [
        f"{place}: {match.group()}"
        for place, text in texts()
        if place.endswith((".py", ".csv", ".mjml", ".html", ".md", ".json")) and place not in LOCKS
        for match in pattern.finditer(text)
        if not RESERVED.search(match.group(1).lower())
    ]
    assert not found, "\n".join(found[:30])
