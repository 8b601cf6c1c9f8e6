"""A paper that calls out by itself when it is opened is not kept (SEC-3)."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from app.inspection.opening import Refusal, open_pdf

pytestmark = pytest.mark.spec("SEC-3")
URI = {"S": Name.URI, "URI": String("https://ailleurs.example/vu")}


def paper(action: Any) -> bytes:
    """One blank page that does this when it is opened; the page itself stands for « here »."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    if action is not None:
        pdf.Root.OpenAction = pdf.make_indirect(action)
    output = io.BytesIO()
    pdf.save(output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Dictionary(**URI), "active_content"),
        (Dictionary(S=Name.GoToR, F=String("//serveur.example/partage/x.pdf")), "active_content"),
        (Dictionary(S=Name.GoTo, D=Array([]), Next=Dictionary(**URI)), "active_content"),
        (
            Dictionary(S=Name.GoTo, D=Array([]), Next=Array([Dictionary(S=Name.Named), Dictionary(**URI)])),
            "active_content",
        ),
        (Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")), "script"),
    ],
)
def test_what_calls_out_at_opening_is_refused(action: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        open_pdf(paper(action), max_pages=50)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "action",
    [
        None,
        Array([0, Name.Fit]),
        Dictionary(S=Name.GoTo, D=String("debut")),
        Dictionary(S=Name.Named, N=Name.FirstPage),
    ],
)
def test_going_to_a_page_is_harmless(action: Any) -> None:
    assert open_pdf(paper(action), max_pages=50).pages == 1


def test_a_chain_without_end_is_refused() -> None:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    loop = pdf.make_indirect(Dictionary(S=Name.GoTo, D=Array([])))
    loop.Next = loop
    pdf.Root.OpenAction = loop
    output = io.BytesIO()
    pdf.save(output)
    with pytest.raises(Refusal, match="too_complex"):
        open_pdf(output.getvalue(), max_pages=50)
