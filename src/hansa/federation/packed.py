"""The lines of a bill or statement, however many: hashed once, kept and sent in compressed parts.

A statement's fingerprint is that of its canonical JSON, as of any paper. It is found here part
by part, so that a month of a million lines is never one text.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import Confirmation, Statement, StatementKind, StatementLine
from hansa.federation.shelf import Page
from hansa.foundation import documents, packing
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period

TEXT_MAX = 4000
DIGITS_MAX = 28
MINOR_MAX = 2**63 - 1

LINES = "lines"


@dataclass(frozen=True, slots=True)
class PackedLines:
    """Lines as they are kept, and what is asked of them without unpacking them.

    fingerprint: of their canonical JSON. net_by_offer: their net amounts in minor units.
    """

    fingerprint: str
    net_by_offer: Mapping[str, int]
    parts: tuple[bytes, ...]

    @property
    def lines(self) -> tuple[StatementLine, ...]:
        """Unpacked anew each time they are asked for."""
        return packing.unpack(StatementLine, self.parts, what=LINES)


def pack(lines: Sequence[StatementLine]) -> PackedLines:
    """Hashes and packs lines; of such as say more, what a statement says of them."""
    by_offer: dict[str, int] = {}
    for line in lines:
        by_offer[line.offer] = by_offer.get(line.offer, 0) + line.net.minor
    fingerprint, parts = packing.pack(_texts(lines))
    return PackedLines(fingerprint, by_offer, parts)


def lines_fingerprint(lines: Sequence[StatementLine]) -> str:
    """The fingerprint that they have when they are packed."""
    return packing.fingerprint(_texts(lines))


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement as it is kept: hashed once. bare: all of it but its lines."""

    bare: Statement
    fingerprint: str
    packed: PackedLines

    @property
    def lines(self) -> tuple[StatementLine, ...]:
        """Unpacked anew each time they are asked for."""
        return self.packed.lines

    @property
    def whole(self) -> Statement:
        """The statement with its lines, unpacked anew each time."""
        return replace(self.bare, lines=self.lines)

    @property
    def id(self) -> StatementId:
        return self.bare.id

    @property
    def kind_of(self) -> StatementKind:
        return self.bare.kind_of

    @property
    def agreement(self) -> AgreementRef:
        return self.bare.agreement

    @property
    def creditor(self) -> PartyId:
        return self.bare.creditor

    @property
    def debtor(self) -> PartyId:
        return self.bare.debtor

    @property
    def period(self) -> Period:
        return self.bare.period

    @property
    def currency(self) -> str:
        return self.bare.currency

    @property
    def net(self) -> Money:
        return self.bare.net

    @property
    def tax(self) -> Money:
        return self.bare.tax

    @property
    def evidence(self) -> tuple[Confirmation, ...]:
        return self.bare.evidence


def keep(statement: Statement) -> KeptStatement:
    """A statement as it is kept: hashed and packed once."""
    return kept(replace(statement, lines=()), pack(statement.lines))


def kept(bare: Statement, lines: PackedLines) -> KeptStatement:
    """The statement, given without lines, that has these."""
    text = documents.canonical(documents.write(bare))
    # nothing within a text looks like the lines' place, for its quotation marks are escaped
    before, _, after = text.partition(b'"lines":[]')
    digest = hashlib.sha256(before + b'"lines":')
    packing.digest(lines.parts, digest, what=LINES)
    digest.update(after)
    return KeptStatement(bare, digest.hexdigest(), lines)


def page(
    some: Sequence[bytes], parts: int, last: bytes | None, *, offset: int, limit: int
) -> Page[StatementLine]:
    """Some of the lines, in their order, and how many there are in all.

    some: of the parts only those that `packing.parts_of` names. parts: how many there are.
    """
    found = packing.window(StatementLine, some, offset=offset, limit=limit, what=LINES)
    return Page(found, packing.count(StatementLine, parts, last, what=LINES))


def _texts(lines: Iterable[StatementLine]) -> Iterator[str]:
    """Each line as canonical JSON: what `packing.texts` gives, some ten times as fast."""
    text = packing.text
    for line in lines:
        net, tax = line.net, line.tax
        yield (
            f'{{"description":{text(line.description)},"key":{text(line.key)},'
            f'"net":{{"currency":{text(net.currency)},"minor":{net.minor}}},'
            f'"offer":{text(line.offer)},"quantity":"{line.quantity}",'
            f'"tax":{{"currency":{text(tax.currency)},"minor":{tax.minor}}},'
            f'"unit":{text(line.unit)}}}'
        )


def to_text(parts: Sequence[bytes]) -> tuple[str, ...]:
    """Parts as a document can hold them: base64."""
    return tuple(b64encode(part).decode("ascii") for part in parts)


def from_text(parts: Sequence[str]) -> tuple[StatementLine, ...]:
    """The lines in parts that somebody has sent.

    Raises Refused `malformed` for what cannot be lines of a statement.
    """
    try:
        given = [b64decode(part, validate=True) for part in parts]
    except ValueError:
        raise Refused("malformed", "lines: a part is not base64.", field=LINES) from None
    lines = packing.unpack(StatementLine, given, what=LINES)
    for line in lines:
        quantity = line.quantity
        if (
            max(len(line.key), len(line.description), len(line.unit), len(line.offer)) > TEXT_MAX
            or "\0" in line.key + line.description + line.unit + line.offer
            or max(abs(line.net.minor), abs(line.tax.minor)) > MINOR_MAX
            or not quantity.is_finite()
            or len(quantity.as_tuple().digits) > DIGITS_MAX
            or abs(quantity.adjusted()) > DIGITS_MAX
        ):
            raise Refused(
                "malformed", f"lines: the line {line.key[:100]!r} is out of bounds.", field=LINES
            )
    return lines
