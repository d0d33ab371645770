"""Reading CSV files as spreadsheet programs save them, and what bad ones get."""

from pathlib import Path

import pytest

from crm.engine.imports.reading import Dialect, first_wrong_byte, guess, header, lines, preview
from crm.engine.refusals import Refused


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


def test_a_spreadsheet_in_windows_1252_with_semicolons_is_understood(tmp_path):
    path = written(
        tmp_path, "Sukunimi;Etunimi;Kaupunki\r\nMäkinen;Päivi;Jyväskylä\r\nÅberg;Örjan;Åbo\r\n".encode("windows-1252")
    )
    how = guess(path)
    assert (how.encoding, how.delimiter) == ("windows-1252", ";")
    assert [line.cells for line in lines(path, how)] == [["Mäkinen", "Päivi", "Jyväskylä"], ["Åberg", "Örjan", "Åbo"]]


def test_utf_8_with_a_byte_order_mark_is_understood(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + "Name,City\nPäivi,Åbo\n".encode())
    how = guess(path)
    assert (how.encoding, how.delimiter) == ("utf-8", ",")
    assert header(path, how) == ["Name", "City"]


def test_utf_16_from_a_spreadsheet_is_understood(tmp_path):
    path = written(tmp_path, "Name\tCity\r\nPäivi\tÅbo\r\n".encode("utf-16"))
    how = guess(path)
    assert (how.encoding, how.delimiter) == ("utf-16", "\t")
    assert next(lines(path, how)).cells == ["Päivi", "Åbo"]


def test_a_quoted_line_break_stays_in_its_cell_and_line_numbers_stay_true(tmp_path):
    path = written(tmp_path, b'name,note\nA,"first\nsecond"\nB,x\n')
    found = list(lines(path, Dialect()))
    assert found[0].cells == ["A", "first\nsecond"]
    assert [line.number for line in found] == [2, 4]


def test_a_wrong_byte_is_named(tmp_path):
    path = written(tmp_path, b"name,city\nAnna,Turku\nP\xe4ivi,Oulu\n")
    assert first_wrong_byte(path, "utf-8") == 22
    with pytest.raises(Refused, match="byte 22"):
        list(lines(path, Dialect(encoding="utf-8")))


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="empty"):
        header(written(tmp_path, b""), Dialect())


def test_two_hundred_columns_are_read_and_six_hundred_refused(tmp_path):
    assert len(header(written(tmp_path, ",".join(f"c{n}" for n in range(200)).encode()), Dialect())) == 200
    with pytest.raises(Refused, match="600 columns"):
        header(written(tmp_path, ",".join(f"c{n}" for n in range(600)).encode()), Dialect())


def test_a_cell_of_two_megabytes_is_read(tmp_path):
    path = written(tmp_path, b"name,note\nA," + b"x" * 2_000_000 + b"\n")
    assert len(next(lines(path, Dialect())).cells[1]) == 2_000_000
    assert len(preview(path, Dialect())[0].cells[1]) == 80


def test_empty_lines_are_left_out(tmp_path):
    path = written(tmp_path, b"name\nA\n\n  \nB\n")
    assert [line.cells[0] for line in lines(path, Dialect())] == ["A", "B"]
