"""Compiling the 60 kB newsletter once: MJML, inlining, links, plain text; and that a version is never compiled twice."""

import statistics
import time

from benchmarks import newsletter
from benchmarks.world import Figure
from ecp.content import compile as room
from ecp.content.compile import Content, compile


def measure(kind: str) -> list[Figure]:
    if kind != "sqlite":
        return []
    source, found, size = newsletter.mjml(), [], 0
    for number in range(7):
        content = Content(
            "mjml", source.replace("</mj-body>", f"<!-- {number} --></mj-body>"), subject=newsletter.SUBJECT
        )
        began = time.perf_counter()
        size = len(compile(content).html.encode())
        found.append(time.perf_counter() - began)
    began = time.perf_counter()
    compile(content)
    again = time.perf_counter() - began
    note = f"{size / 1024:.0f} kB out; the same version again: {again * 1e6:.0f} us; cache {room._compile.cache_info().hits} hit"
    return [Figure("compile a newsletter with inlining", "–", statistics.median(found[1:]) * 1000, "ms", "< 150", note)]
