"""Imports go downwards only (house.md section 2), Flask stays in the web rooms, SMTP in the post office."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.rules.checkout import ROOMS, TOP, python_of_rooms, relative

# Rooms that may ask Flask for the request (house.md section 2). The rest of a room may use `current_app` through crm.config.
WEB = ("/web/", "/ui/", "/api/", "public.py", "collect.py", "hub/", "forms/")
REQUEST = {"request", "session", "g", "has_request_context", "make_response", "redirect", "abort", "render_template"}


def test_the_contracts_of_the_import_linter_hold():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_only_web_rooms_know_of_requests():
    found = []
    for path in python_of_rooms():
        place = relative(path)
        if any(part in place for part in WEB):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "flask":
                names = {alias.name for alias in node.names} & REQUEST
                if names:
                    found.append(f"{place}:{node.lineno} imports {', '.join(sorted(names))}")
    assert not found, "\n".join(found)


def test_only_the_post_office_imports_smtplib_and_imaplib():
    found = []
    for path in python_of_rooms():
        if relative(path).startswith("crm/mail/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {"smtplib", "imaplib"} & set(names):
                found.append(f"{relative(path)}:{node.lineno}")
    assert not found, "\n".join(found)


def test_every_package_that_is_imported_is_declared():
    """What rooms import is in pyproject.toml, what is declared there is imported."""
    import tomllib
    from importlib.metadata import packages_distributions

    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    declared = {_name(said) for said in project["dependencies"]}
    where = packages_distributions()
    imported: dict[str, str] = {}
    for path in python_of_rooms():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for name in names:
                top = name.partition(".")[0]
                if top in sys.stdlib_module_names or top in ROOMS or top == "tests":
                    continue
                for distribution in where.get(top, [top]):
                    imported.setdefault(_name(distribution), f"{relative(path)}:{node.lineno}")
    needed = {"psycopg"}  # named in the database's URL, imported by SQLAlchemy
    unknown = {name: place for name, place in imported.items() if name not in declared}
    assert not unknown, f"imported, but not in pyproject.toml: {unknown}"
    idle = declared - set(imported) - needed
    assert not idle, f"in pyproject.toml, but imported nowhere: {sorted(idle)}"


def _name(said: str) -> str:
    end = next((index for index, sign in enumerate(said) if sign in "[<>=!~; "), len(said))
    return said[:end].lower().replace("_", "-")
