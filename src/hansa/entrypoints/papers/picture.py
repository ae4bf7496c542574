"""Who pays whom before and after netting: as text, and as SVG. Drawn from the data alone."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from hansa.federation.papers import NettingPayment
from hansa.foundation.money import Money, add_up

ROW, LEFT, RIGHT, WIDTH = 44, 150, 550, 700
"""In the units of the picture: between parties, and where payers, payees and the edge are."""

TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)

Payments = Sequence[NettingPayment]


def text(before: Payments, after: Payments, currency: str) -> str:
    """Both, payment by payment, with how many there are and what they come to."""
    return "\n".join([*_list("Before", before, currency), "", *_list("After", after, currency)])


def _list(title: str, payments: Payments, currency: str) -> list[str]:
    names = max((len(one.payer) for one in payments), default=0)
    others = max((len(one.payee) for one in payments), default=0)
    amounts = max((len(str(one.amount)) for one in payments), default=0)
    return [
        title + ": " + _sum(payments, currency),
        *(
            f"  {one.payer:<{names}} → {one.payee:<{others}}  {one.amount!s:>{amounts}}"
            for one in payments
        ),
    ]


def _sum(payments: Payments, currency: str) -> str:
    total: Money = add_up((one.amount for one in payments), currency)
    return f"{len(payments)} payment{'' if len(payments) == 1 else 's'}, {total}"


def svg(before: Payments, after: Payments, currency: str) -> str:
    """Two panels, one below the other: payers to the left, payees to the right."""
    parties = sorted({one for each in (*before, *after) for one in (each.payer, each.payee)})
    panel = ROW * (len(parties) + 2)
    drawn = [
        line
        for number, (title, payments) in enumerate((("Before", before), ("After", after)))
        for line in _panel(
            f"{title}: {_sum(payments, currency)}", payments, parties, number * panel
        )
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * panel}" '
        'font-family="sans-serif" font-size="14" role="img">'
    )
    return "\n".join(
        [head, f"<title>Netting in {escape(currency)}</title>", TIP, *drawn, "</svg>\n"]
    )


def _panel(title: str, payments: Payments, parties: Sequence[str], top: int) -> list[str]:
    at = {party: top + ROW * (number + 2) - 10 for number, party in enumerate(parties)}
    lines = [_words(title, 20, top + 24, "start", bold=True)]
    for party in parties:
        lines.append(_words(party, LEFT - 10, at[party] + 5, "end"))
        lines.append(_words(party, RIGHT + 10, at[party] + 5, "start"))
    for one in payments:
        start, end = at[one.payer], at[one.payee]
        lines.append(
            f'<line x1="{LEFT}" y1="{start}" x2="{RIGHT}" y2="{end}" stroke="black" '
            'marker-end="url(#tip)"/>'
        )
        place = (3 * start + end) // 4 - 4
        lines.append(_words(str(one.amount), (3 * LEFT + RIGHT) // 4, place, "middle"))
    return lines


def _words(words: str, x: int, y: int, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'
