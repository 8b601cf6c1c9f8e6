"""The small CSV that agents send: tracking numbers, collections (QUE-4, CRT-2)."""

from __future__ import annotations

import pytest

from app.services.csv_lines import read_lines


@pytest.mark.spec("QUE-4", "CRT-2")
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"sep=;\r\nreference;suivi\r\nA;B\r\n", [(2, ["reference", "suivi"]), (3, ["A", "B"])]),
        (b"\xef\xbb\xbfSEP=,\nreference,suivi\n", [(2, ["reference", "suivi"])]),
        (b"reference;suivi\nsep=;\n", [(1, ["reference", "suivi"]), (2, ["sep=", ""])]),
    ],
)  # fmt: skip
def test_the_line_in_which_excel_is_told_the_separator_is_no_line_of_the_file(
    data: bytes, lines: list[tuple[int, list[str]]]
) -> None:
    assert read_lines(data) == lines
