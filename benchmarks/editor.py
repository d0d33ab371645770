"""The visual editor of mails: what its first load weighs, how long the preview takes after a key.

    python -m benchmarks.editor

Weighs the files that the writing page asks for until the editor stands, as gzip -9 makes them. The preview's time is CPU time of the
server's side of one change (compile, inline, fill) for our largest design, each time with other words, as typing makes them.
"""

import gzip
import json
import statistics
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "crm/static/build"
PAGE = ("app.css", "app.js", "theme.js", "ecp.css", "icons.svg", "editor.js", "writing.js")
VISUAL = ("visual.js", "visual.css")
MOST_BYTES = 1_200_000  # decisions.md 32 of the plan: its canvas compiles in the page
MOST_MS = 200


def weigh(names: tuple[str, ...]) -> int:
    """Bytes of those files together, each compressed."""
    built = json.loads((FOLDER / "manifest.json").read_text())
    return sum(len(gzip.compress((FOLDER / built[name]).read_bytes(), 9)) for name in names)


def typing(times: int = 30) -> list[float]:
    """Milliseconds of CPU for the preview of one change after another."""
    from ecp.content.compile import Content, compile
    from ecp.content.designs import DESIGNS
    from ecp.content.preview import preview

    largest = max(DESIGNS, key=lambda one: len(one.mjml))
    taken = []
    for turn in range(times):
        begin = time.process_time()
        made = compile(Content("mjml", largest.mjml.replace("</mj-text>", f" {turn}</mj-text>", 1), largest.subject))
        preview(made, {})
        taken.append((time.process_time() - begin) * 1000)
    return taken


def main() -> int:
    """Print the figures; 1 when one is beyond its limit."""
    page, visual = weigh(PAGE), weigh(VISUAL)
    taken = typing()
    worst = statistics.quantiles(taken, n=20)[-1]
    print(
        f"writing page {page / 1000:.0f} kB, visual editor {visual / 1000:.0f} kB, together {(page + visual) / 1000:.0f} kB compressed"
    )
    print(f"preview of one change: median {statistics.median(taken):.0f} ms, 95th percentile {worst:.0f} ms of CPU")
    return int(page + visual > MOST_BYTES or worst > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
