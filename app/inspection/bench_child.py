"""The bench's own process: reads jobs on its standard input, answers on its standard output.

Started by ``bench`` as a plain script with no environment to steal, limited memory, and no right to
write a file. Each message is a JSON line that announces how many bytes of payload follow it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import types
from pathlib import Path
from typing import Any, BinaryIO

MEMORY = 1536 * 1024 * 1024  # bytes of address space


def main() -> None:
    """Answer jobs until the other side hangs up."""
    _limit_self()
    _import_siblings_without_the_application()
    jobs = os.fdopen(0, "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not garble the answers
    while line := jobs.readline():
        job = json.loads(line)
        payload = jobs.read(job.pop("bytes"))
        header, data = _do(job.pop("job"), job, payload)
        _answer(answers, header, data)


def _limit_self() -> None:
    """Bound memory, forbid files and core dumps (where the system knows such limits)."""
    with contextlib.suppress(ImportError):
        import resource

        for limit, value in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, value))


def _import_siblings_without_the_application() -> None:
    """Let ``app.inspection.opening`` be imported without running ``app/__init__`` (Flask, database…)."""
    here = Path(__file__).resolve().parent
    for name, folder in (("app", here.parent), ("app.inspection", here)):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    from app.inspection import opening

    opening.limit_qpdf()


def _do(job: str, options: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
    from app.inspection import drawing, looking, opening

    try:
        match job:
            case "open_picture":
                return _opened(opening.open_picture(payload, **options))
            case "open_pdf":
                return _opened(opening.open_pdf(payload, **options))
            case "draw_page":
                return {}, drawing.draw_page(payload, **options)
            case "look":
                return {"seen": looking.look(payload, **options)}, b""
            case "ocr":
                return {"read": looking.ocr(payload, **options)}, b""
            case "read_signatures":
                from app.inspection import signature_reading

                return {"read": signature_reading.read_signatures(payload, **options)}, b""
            case "read_workbook":
                from app.inspection import workbooks

                return {"read": workbooks.read_workbook(payload)}, b""
            case "count_pages":
                return {"pages": drawing.count_pages(payload, **options)}, b""
            case _:
                return {"failed": f"unknown job {job}"}, b""
    except opening.Refusal as refusal:
        return {"refused": refusal.code, "details": refusal.details}, b""
    except drawing.NoSuchPage:
        return {"refused": "no_such_page", "details": {}}, b""
    except MemoryError:
        return {"refused": "too_complex", "details": {}}, b""
    except Exception as error:  # noqa: BLE001  # hostile bytes raise anything; the other side logs it
        return {"failed": f"{type(error).__name__}: {error}"[:300]}, b""


def _opened(opened: Any) -> tuple[dict[str, Any], bytes]:
    """Answer without sending a PDF back: it is the very payload that came."""
    header = {name: getattr(opened, name) for name in ("media_type", "pages", "width", "height", "notes")}
    return header, b"" if opened.media_type == "application/pdf" else opened.data


def _answer(answers: BinaryIO, header: dict[str, Any], data: bytes) -> None:
    header["bytes"] = len(data)
    answers.write(json.dumps(header).encode() + b"\n" + data)
    answers.flush()


if __name__ == "__main__":
    main()
