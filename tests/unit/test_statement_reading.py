"""What the CSV of a gateway's statement may look like, and what is said of one that is wrong (GAT-4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from app.errors import DomainError
from app.models import Operation
from app.services.statements.reading import MAX_BYTES, MAX_ROWS, read_statement

FRENCH = "date;opération;numéro de commande;identifiant;montant (DT);devise;autorisation\n"
LINE = "20/11/2025 14:05;paiement;PAY251120ABC;e1f0-1;424,500;TND;123456\n"


@pytest.fixture(autouse=True)
def context(app: Flask) -> None:
    """Sentences need an application."""


@pytest.mark.spec("GAT-4")
@pytest.mark.parametrize(
    "data",
    [
        (FRENCH + LINE).encode(),
        b"\xef\xbb\xbf" + (FRENCH + LINE).encode(),
        (FRENCH + LINE).encode("cp1252"),
        (FRENCH + LINE).encode("utf-16"),
        (FRENCH + LINE).replace(";", "\t").encode(),
        (FRENCH + LINE).replace("\n", "\r\n").encode(),
        b"Releve ClicToPay;;\nMarchand;ANCE;\n\n" + (FRENCH + LINE + "\n;;;\nTotal;;;;424,500;;\n").encode(),
        (
            b"orderNumber,mdOrder,amount,transaction date,currency,approvalCode,type\n"
            b'pay251120abc,E1F0-1,"424.500",2025-11-20T13:05:00Z,788,123456,deposited\n'
        ),
        (
            b"Approval Code,Order Number,MD Order,Amount (millimes),Operation Date,Currency\n"
            b"123456,PAY251120ABC,e1f0-1,424 500,2025-11-20 14:05:00,TND\n"
        ),
        (
            b"order number;order id;date;settlement date;montant millimes;approval code\n"
            b"PAY251120ABC;e1f0-1;1763643900000;21/11/2025;424500;123456\n"
        ),
    ],
    ids=["plain", "bom", "cp1252", "utf16", "tabs", "crlf", "preamble", "english", "millimes", "epoch"],
)
def test_the_same_operation_is_read_however_it_is_written(data: bytes) -> None:
    reading = read_statement(data)
    assert (reading.problem_count, len(reading.rows)) == (0, 1)
    row = reading.rows[0]
    assert (row.operation, row.order_number, row.gateway_order_id) == (Operation.PAIEMENT, "PAY251120ABC", "e1f0-1")
    assert (row.amount, row.currency, row.approval_code) == (424_500, "788", "123456")
    assert row.at == datetime(2025, 11, 20, 13, 5, tzinfo=UTC)


@pytest.mark.spec("GAT-4")
@pytest.mark.parametrize(
    ("amount", "word", "millimes", "operation"),
    [
        ("1 271,500", "paiement", 1_271_500, Operation.PAIEMENT),
        ("1.271,500", "achat", 1_271_500, Operation.PAIEMENT),
        ("1,271.500", "Sale", 1_271_500, Operation.PAIEMENT),
        ("424,5", "", 424_500, Operation.PAIEMENT),
        ("-424,500", "", 424_500, Operation.REMBOURSEMENT),
        ("−7,000 DT", "", 7_000, Operation.REMBOURSEMENT),
        ("424,500", "Remboursement partiel", 424_500, Operation.REMBOURSEMENT),
        ("424,500", "REVERSED", 424_500, Operation.REMBOURSEMENT),
    ],
)
def test_amounts_and_operations(amount: str, word: str, millimes: int, operation: Operation) -> None:
    data = f'date;commande;montant;type\n20/11/2025;PAY1;"{amount}";{word}\n'
    [row] = read_statement(data.encode()).rows
    assert (row.amount, row.operation) == (millimes, operation)


@pytest.mark.spec("GAT-4")
def test_whole_numbers_need_their_unit_unless_the_title_says_it() -> None:
    data = b"date;commande;montant\n20/11/2025;PAY1;424500\n21/11/2025;PAY2;350\n"
    with pytest.raises(DomainError, match="dinars ou en millimes") as told:
        read_statement(data)
    assert told.value.field == "unit"
    assert [row.amount for row in read_statement(data, unit="millimes").rows] == [424_500, 350]
    assert [row.amount for row in read_statement(data, unit="dinars").rows] == [424_500_000, 350_000]
    assert [row.amount for row in read_statement(data.replace(b"montant", b"montant TND")).rows][1] == 350_000
    mixed = read_statement(data.replace(b";350\n", b";350,000\n"))
    assert [row.amount for row in mixed.rows] == [424_500_000, 350_000]


@pytest.mark.spec("GAT-4")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "vide"),
        (b"\xef\xbb\xbf \r\n\n", "vide"),
        (b"PK\x03\x04 ...", "classeur"),
        (b"\xd0\xcf\x11\xe0 ...", "classeur"),
        (b"%PDF-1.7\n\x00\x01\x02", "lisible"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "lisible"),
        (b"bonjour\n", "Il manque des colonnes : date, numéro de commande, montant"),
        (b"date;commande\n20/11/2025;PAY1\n", "Il manque des colonnes : montant"),
        (b"date;commande;montant;montant\n20/11/2025;PAY1;1,0;1,0\n", "deux fois"),
        (FRENCH.encode(), "aucune opération"),
        ((FRENCH + "Total;;;;;;\n").encode(), "aucune opération"),
        (b"x" * (MAX_BYTES + 1), "10 Mo"),
        ((FRENCH + LINE * (MAX_ROWS + 1)).encode(), "50000 au plus"),
        (b"date;commande;montant\n" + b'20/11/2025;"PAY1;' + b"y" * 200_000 + b"\n", "lisible"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(DomainError, match=said) as told:
        read_statement(data)
    assert told.value.field == "file"


@pytest.mark.spec("GAT-4")
@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("hier;paiement;PAY1;;1,000;TND;", "date", "Écrivez la date"),
        ("31/02/2025;paiement;PAY1;;1,000;TND;", "date", "n'existe pas"),
        ("20/11/2099;paiement;PAY1;;1,000;TND;", "date", "à venir"),
        ("20/11/1925;paiement;PAY1;;1,000;TND;", "date", "n'existe pas"),
        (";paiement;PAY1;;1,000;TND;", "date", "manque"),
        ("20/11/2025;loterie;PAY1;;1,000;TND;", "opération", "paiement"),
        ("20/11/2025;paiement;;;1,000;TND;", "numéro de commande", "manque"),
        ("20/11/2025;paiement;" + "P" * 41 + ";;1,000;TND;", "numéro de commande", "40 caractères"),
        ("20/11/2025;paiement;PAY1;;;TND;", "montant (DT)", "manque"),
        ("20/11/2025;paiement;PAY1;;0,000;TND;", "montant (DT)", "nul"),
        ("20/11/2025;paiement;PAY1;;1.000.000;TND;", "montant (DT)", "en dinars"),
        ("20/11/2025;paiement;PAY1;;=1+1;TND;", "montant (DT)", "en dinars"),
        ("20/11/2025;paiement;PAY1;;1,000;bitcoin;", "devise", "devise"),
        ("20/11/2025;paiement;PAY1", "montant (DT)", "manque"),
    ],
)
def test_every_wrong_cell_is_named_by_line_and_column(line: str, column: str, said: str) -> None:
    reading = read_statement((FRENCH + LINE + line + "\n" + LINE).encode())
    assert (reading.problem_count, len(reading.rows)) == (1, 2)
    [problem] = reading.problems
    assert (problem.line, problem.column) == (3, column)
    assert said in problem.sentence


@pytest.mark.spec("GAT-4")
def test_millimes_have_no_comma_and_only_the_first_wrong_cells_are_kept() -> None:
    data = b"date;commande;montant\n" + b"20/11/2025;PAY1;424,500\n" * 300
    reading = read_statement(data, unit="millimes")
    assert (reading.problem_count, len(reading.problems)) == (300, 200)
    assert "sans virgule" in reading.problems[0].sentence


@pytest.mark.spec("GAT-4")
def test_another_currency_is_read_and_kept_as_such() -> None:
    [euro, yen] = read_statement(b"date;commande;montant;devise\n20/11/2025;P1;10,5;EUR\n20/11/2025;P2;9,5;JPY\n").rows
    assert (euro.currency, yen.currency) == ("978", "JPY")


@pytest.mark.spec("GAT-4")
def test_amounts_of_other_figures_and_of_endless_ones_are_no_crash() -> None:
    data = "date;commande;montant millimes\n20/11/2025;A;١٢٣\n20/11/2025;B;{}\n"
    reading = read_statement(data.format("9" * 5_000).encode())
    assert [row.amount for row in reading.rows] == [123]
    assert [wrong.line for wrong in reading.problems] == [3]
