"""``python -m bench invoices``: invoices a minute on one core, papers included, and baskets of 1 to 500 certificates.

On PostgreSQL (``--database sqlite`` for the other). The process, the database server and the storage are held to one
core. One invoice: the payment confirmed (gateway's answer applied, journal, history, mails written), the TEIF made and
kept, the PDF/A-3 made with it inside and kept. The gateway and the mail server are not waited for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

from bench.stage import Stage, stage

GOAL = 1_000
"""Invoices a minute (issue 4)."""
BASKETS = (1, 2, 3, 37, 500)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench invoices", description=__doc__)
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--without-baskets", action="store_true")
    options = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before the database server starts, which inherits it
    with stage(options.database) as on:
        rate = _rate(options.count, profile=options.profile)
        if not options.without_baskets:
            on.fresh()
            for certificates in BASKETS:
                print(_basket(on, certificates), flush=True)
    return 0 if rate >= GOAL else 1


def _rate(count: int, *, profile: bool) -> float:
    from app.extensions import db
    from app.models import Invoice
    from app.services.invoicing import invoice_pdf_bytes
    from app.services.payments.settling import apply_answer
    from tests.support.sold import paid_answer, payments_under_way

    ids = payments_under_way(count + 5)
    answers = {each: paid_answer(each) for each in ids}
    confirming, printing = [], []

    def one(payment_id: int) -> None:
        begun = time.perf_counter()
        apply_answer(payment_id, answers[payment_id])
        confirmed = time.perf_counter()
        invoice_id = db.session.query(Invoice.id).filter_by(payment_id=payment_id).scalar()
        invoice_pdf_bytes(invoice_id)
        confirming.append(confirmed - begun)
        printing.append(time.perf_counter() - confirmed)
        db.session.remove()

    for payment_id in ids[:5]:
        one(payment_id)
    confirming.clear()
    printing.clear()
    begun, worked = time.perf_counter(), time.process_time()
    if profile:
        _profiled(lambda: [one(payment_id) for payment_id in ids[5:]])
    else:
        for payment_id in ids[5:]:
            one(payment_id)
    seconds, processor = time.perf_counter() - begun, time.process_time() - worked
    rate = 60 * count / seconds
    print(
        f"{count} invoices in {seconds:.1f} s on one core: {rate:.0f} a minute (goal {GOAL}); medians: confirmed"
        f" {statistics.median(confirming) * 1000:.1f} ms, TEIF and PDF {statistics.median(printing) * 1000:.1f} ms;"
        f" processor {processor / count * 1000:.1f} ms an invoice",
        flush=True,
    )
    return rate


def _profiled(work: object) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(60)


def _basket(on: Stage, certificates: int) -> str:
    """One basket from its page to its papers, in seconds."""
    import pypdfium2

    from app.extensions import db
    from app.models import Invoice
    from app.services.electronic_invoices import teif_of_invoice
    from app.services.invoicing import invoice_pdf_bytes
    from app.services.payments import settle
    from tests import factories
    from tests.pages import CheckingClient
    from tests.support.paying import Shop, pay

    shop = Shop(certificates)
    email = shop.people[0].email
    client = CheckingClient(on.app)
    client.login(email, factories.PASSWORD)
    taken: dict[str, float] = {}
    begun = time.perf_counter()

    def lap(what: str) -> None:
        nonlocal begun
        moment = time.perf_counter()
        taken[what] = moment - begun
        begun = moment

    on.app.config["PROPAGATE_EXCEPTIONS"] = True
    begun = time.perf_counter()
    client.get("/panier")
    lap("page")
    opening = shop.start()
    lap("opened")
    pay(on.gateway, opening.payment_id)
    begun = time.perf_counter()
    settle(opening.payment_id)
    lap("confirmed")
    invoice = db.session.query(Invoice).filter_by(payment_id=opening.payment_id).one()
    total = invoice.total_ttc
    xml = teif_of_invoice(invoice.id)[1]
    lap("TEIF")
    pdf = invoice_pdf_bytes(invoice.id)[1]
    lap("PDF")
    pages = len(pypdfium2.PdfDocument(pdf))
    told = ", ".join(f"{what} {seconds:.2f}" for what, seconds in taken.items())
    return (
        f"{certificates:4} certificates, {total / 1000:.3f} DT: {told} s; PDF of {pages} pages, {len(pdf) // 1024} kB;"
        f" TEIF {len(xml) // 1024} kB"
    )
