"""A camera for Chromium that holds a code before its eye: what it films is a file, written when the code is known."""

from pathlib import Path

import segno

WIDTH, HEIGHT = 640, 480


def flags(film: Path) -> list[str]:
    """What Chromium is started with, so that its camera shows `film` and is allowed without asking."""
    return [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}",
    ]  # fmt: skip


def show(film: Path, code: str) -> None:
    """Write a film (YUV4MPEG2, uncompressed) in which the QR code stands still, dark on white."""
    dark = [[bool(one) for one in row] for row in segno.make(code, error="m", micro=False).matrix]
    step = HEIGHT // (len(dark) + 8)  # four modules of white around it, as readers need
    left, top = (WIDTH - step * len(dark)) // 2, (HEIGHT - step * len(dark)) // 2
    light = bytearray(b"\xeb" * WIDTH * HEIGHT)
    for y, row in enumerate(dark):
        for x, is_dark in enumerate(row):
            for line in range(step if is_dark else 0):
                start = (top + y * step + line) * WIDTH + left + x * step
                light[start : start + step] = b"\x10" * step
    frame = b"FRAME\n" + bytes(light) + b"\x80" * (WIDTH * HEIGHT // 2)
    film.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3)
