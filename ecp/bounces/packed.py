"""Packed reports of strangers: one file inside, never unpacked to a path, never more than a limit, whatever it says of its size."""

import io
import zipfile
import zlib

from crm.words import _
from ecp.bounces.aggregates import BadReport

MOST_PLAIN = 50 * 1024 * 1024  # of a report when it is unpacked
PIECE = 64 * 1024


def unpack(name: str, media_type: str, data: bytes) -> bytes:
    """The report itself, from gzip, zip or as it is. Raises BadReport."""
    if data[:2] == b"\x1f\x8b":
        return _gunzip(data)
    if data[:4] == b"PK\x03\x04":
        return _unzip(data)
    if len(data) > MOST_PLAIN:
        raise _too_large()
    return data


def _gunzip(data: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=31)
    try:
        plain = machine.decompress(data, MOST_PLAIN + 1)
    except zlib.error:
        raise BadReport(_("The report is packed in a way that cannot be read.")) from None
    if len(plain) > MOST_PLAIN:
        raise _too_large()
    if not machine.eof:
        raise BadReport(_("The report is packed in a way that cannot be read."))
    return plain


def _unzip(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir()]
            if len(files) != 1:
                raise BadReport(_("The archive does not hold one report."))
            with archive.open(files[0]) as inside:
                plain = inside.read(MOST_PLAIN + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError):
        raise BadReport(_("The report is packed in a way that cannot be read.")) from None
    if len(plain) > MOST_PLAIN:
        raise _too_large()
    return plain


def _too_large() -> BadReport:
    return BadReport(_("The report is larger than %(most)s MB when it is unpacked.", most=MOST_PLAIN // 1024 // 1024))
