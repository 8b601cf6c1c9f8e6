"""Money: millimes add up, French writes them, and a basket costs what the specification says."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import money
from app.money import UnitPrice

CERTIFICATE = UnitPrice(ht=350_000, vat_rate_bp=1_900, delivery_ttc=7_000)
STAMP = 1_000
amounts = st.integers(0, 10**10)
rates = st.integers(0, 3_000)
units = st.builds(UnitPrice, ht=amounts, vat_rate_bp=rates, delivery_ttc=st.integers(0, 10**6))


@pytest.mark.spec("PRI-1")
@pytest.mark.parametrize("number, total", [(1, 424_500), (2, 848_000), (3, 1_271_500), (500, 211_751_000)])
def test_n_certificates_cost_their_price_their_delivery_and_one_stamp(number: int, total: int) -> None:
    quote = money.quote([CERTIFICATE] * number, STAMP)
    assert quote.total == total == number * 416_500 + number * 7_000 + 1_000


@pytest.mark.spec("PRI-1")
def test_a_quote_shows_each_line_and_each_total() -> None:
    quote = money.quote([CERTIFICATE] * 3, STAMP)
    assert [(line.ht, line.vat, line.ttc, line.delivery_ttc) for line in quote.lines] == [
        (350_000, 66_500, 416_500, 7_000)
    ] * 3
    assert (quote.ht, quote.vat, quote.ttc) == (1_050_000, 199_500, 1_249_500)
    assert (quote.delivery_ttc, quote.delivery_vat, quote.stamp_duty) == (21_000, 0, 1_000)
    assert quote.vat_by_rate == (money.VatRow(1_900, 1_050_000, 199_500),)


@pytest.mark.spec("PRI-1")
def test_an_empty_basket_costs_nothing_not_even_the_stamp() -> None:
    assert money.quote([], STAMP).total == 0


@pytest.mark.spec("PRI-1")
def test_a_delivery_that_holds_vat_says_so_and_costs_the_same() -> None:
    quote = money.quote([CERTIFICATE] * 2, STAMP, delivery_vat_bp=700)
    assert quote.total == 848_000
    assert (quote.delivery_ht, quote.delivery_vat) == (2 * 6_542, 2 * 458)
    assert quote.vat_by_rate == (money.VatRow(1_900, 700_000, 133_000), money.VatRow(700, 13_084, 916))


@pytest.mark.spec("PRI-1")
def test_a_negative_price_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        money.quote([UnitPrice(-1, 1_900, 0)], STAMP)
    with pytest.raises(ValueError, match="negative"):
        money.quote([CERTIFICATE], -1)
    with pytest.raises(ValueError, match="negative"):
        money.vat_half_up(1, -1)
    with pytest.raises(ValueError, match="negative"):
        money.split(1, -1)


@pytest.mark.spec("PRI-2")
@pytest.mark.parametrize(
    "amount, rate_bp, vat",
    [
        (350_000, 1_900, 66_500),
        (50, 1_900, 10),
        (1, 4_999, 0),
        (1, 5_000, 1),
        (3, 5_000, 2),
        (-3, 5_000, -2),
        (0, 1_900, 0),
    ],
)
def test_vat_is_rounded_half_up(amount: int, rate_bp: int, vat: int) -> None:
    assert money.vat_half_up(amount, rate_bp) == vat


@pytest.mark.spec("PRI-2")
@given(amounts, rates)
def test_vat_is_the_nearest_millime(amount: int, rate_bp: int) -> None:
    exact = Fraction(amount * rate_bp, 10_000)
    assert Fraction(-1, 2) < money.vat_half_up(amount, rate_bp) - exact <= Fraction(1, 2)
    assert money.vat_half_up(-amount, rate_bp) == -money.vat_half_up(amount, rate_bp)


@given(amounts, rates)
def test_an_amount_taken_apart_adds_up_again(ttc: int, rate_bp: int) -> None:
    parts = money.split(ttc, rate_bp)
    assert parts.ht + parts.vat == ttc
    assert abs(parts.vat - Fraction(ttc * rate_bp, 10_000 + rate_bp)) <= Fraction(1, 2)


@pytest.mark.spec("PRI-1")
@given(st.lists(units, max_size=30), amounts, rates)
def test_the_totals_of_any_basket_add_up(basket: list[UnitPrice], stamp: int, delivery_vat_bp: int) -> None:
    quote = money.quote(basket, stamp, delivery_vat_bp)
    assert quote.total == sum(line.ttc + line.delivery_ttc for line in quote.lines) + quote.stamp_duty
    assert quote.total == quote.ht + quote.vat + quote.delivery_ht + quote.delivery_vat + quote.stamp_duty
    assert quote.delivery_ttc == sum(unit.delivery_ttc for unit in basket)
    assert sum(row.vat for row in quote.vat_by_rate) == quote.vat + quote.delivery_vat
    assert len({row.rate_bp for row in quote.vat_by_rate}) == len(quote.vat_by_rate)


@pytest.mark.spec("PRI-2")
@pytest.mark.parametrize(
    "millimes, shown, plain",
    [
        (424_500, "424,500\u00a0DT", "424,500 DT"),
        (1_271_500, "1\u202f271,500\u00a0DT", "1 271,500 DT"),
        (1_234_567_890, "1\u202f234\u202f567,890\u00a0DT", "1 234 567,890 DT"),
        (0, "0,000\u00a0DT", "0,000 DT"),
        (5, "0,005\u00a0DT", "0,005 DT"),
        (-424_500, "\u2212424,500\u00a0DT", "-424,500 DT"),
    ],
)
def test_amounts_are_written_the_french_way(millimes: int, shown: str, plain: str) -> None:
    assert money.format_millimes(millimes) == shown
    assert money.format_millimes(millimes, plain=True) == plain


@pytest.mark.spec("PRI-2")
def test_amounts_in_arabic_keep_the_figures_and_their_direction() -> None:
    assert money.format_arabic(1_271_500) == "1\u202f271,500\u00a0د.ت"
    assert money.format_arabic(-5) == "\u200e\u22120,005\u00a0د.ت"


@pytest.mark.parametrize("rate_bp, shown", [(1_900, "19"), (700, "7"), (1_925, "19,25"), (1_950, "19,5"), (0, "0")])
def test_rates_are_written_without_useless_zeros(rate_bp: int, shown: str) -> None:
    assert money.format_rate(rate_bp) == f"{shown}\u00a0%"


@pytest.mark.spec("PRI-2")
@pytest.mark.parametrize(
    "typed, millimes",
    [
        ("350", 350_000),
        ("350,000", 350_000),
        ("350.000", 350_000),
        ("1 271,500 DT", 1_271_500),
        ("1271,5 dt", 1_271_500),
        ("1.271,500", 1_271_500),
        ("1,271.500", 1_271_500),
        ("1 271 500", 1_271_500_000),
        ("0,005 TND", 5),
        ("٣٥٠٫٥", 350_500),
        ("424,500 د.ت", 424_500),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, millimes: int) -> None:
    assert money.parse_millimes(typed) == millimes


@pytest.mark.spec("PRI-2")
@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "amount_empty"),
        ("  ", "amount_empty"),
        ("DT", "amount_shape"),
        ("trois", "amount_shape"),
        ("1,2345", "amount_shape"),
        ("12 71", "amount_shape"),
        ("1.271.500", "amount_shape"),
        ("1,", "amount_shape"),
        ("1e3", "amount_shape"),
        ("=1+1", "amount_shape"),
        ("-5", "amount_negative"),
        ("9" * 16, "amount_shape"),
        ("9" * 5000, "amount_shape"),
    ],
)
def test_a_text_that_is_no_amount_is_refused(typed: str, code: str) -> None:
    with pytest.raises(money.InvalidAmount) as caught:
        money.parse_millimes(typed)
    assert caught.value.code == code


@given(st.integers(-(10**12), 10**12), st.booleans())
def test_what_is_written_is_read_back(millimes: int, plain: bool) -> None:
    assert money.parse_millimes(money.format_millimes(millimes, plain=plain), negative=True) == millimes
    assert money.parse_millimes(money.format_arabic(millimes), negative=True) == millimes


@pytest.mark.spec("INV-1")
@pytest.mark.parametrize(
    "millimes, words",
    [
        (424_500, "quatre cent vingt-quatre dinars et cinq cents millimes"),
        (1_271_500, "mille deux cent soixante et onze dinars et cinq cents millimes"),
        (0, "zéro dinar"),
        (1, "un millime"),
        (500, "cinq cents millimes"),
        (1_000, "un dinar"),
        (1_001, "un dinar et un millime"),
        (80_000, "quatre-vingts dinars"),
        (81_080, "quatre-vingt-un dinars et quatre-vingts millimes"),
        (200_000_000, "deux cent mille dinars"),
        (1_000_000_000, "un million de dinars"),
        (2_300_000_000, "deux millions trois cent mille dinars"),
        (-424_500, "moins quatre cent vingt-quatre dinars et cinq cents millimes"),
    ],
)
def test_amounts_are_said_in_french(millimes: int, words: str) -> None:
    assert money.amount_in_words(millimes) == words
