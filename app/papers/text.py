"""Long texts (CGU, contract terms) taken apart into blocks, for templates that escape each of them.

The text is Markdown-light and never markup: ``# title``, ``## heading``, paragraphs separated by blank lines,
list items that begin with ``a)``, ``1)`` or ``- ``. Everything else, tags included, is plain text.
"""

import re
from typing import Literal, NamedTuple

Kind = Literal["title", "heading", "paragraph", "item"]

_HEADING = re.compile(r"(#{1,3})\s+(.+)")
_ITEM = re.compile(r"(?:[a-z]{1,2}\)|[0-9]{1,2}\)|[-•])\s+\S.*")


class Block(NamedTuple):
    """A piece of a text; an ``item`` keeps its letter (« p) Si l'Abonné… »), since people cite it."""

    kind: Kind
    text: str


def blocks(text: str) -> list[Block]:
    """Take a text apart; its words all come back, in order, with single spaces."""
    found: list[Block] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            joined = " ".join(paragraph)
            found.append(Block("item" if _ITEM.fullmatch(joined) else "paragraph", joined))
            paragraph.clear()

    for raw in text.splitlines():
        line = " ".join(raw.split())
        heading = _HEADING.fullmatch(line)
        if heading:
            close()
            found.append(Block("title" if len(heading[1]) == 1 else "heading", heading[2]))
        elif not line:
            close()
        else:
            if _ITEM.fullmatch(line):
                close()
            paragraph.append(line)
    close()
    return found
