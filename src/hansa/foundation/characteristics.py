"""What a buyer chooses of an offer: whole numbers within bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from hansa.foundation.errors import Refused

NETWORK = "network"
"""The characteristic by which a buyer says which of its private networks a service belongs to:
services of one buyer with one number reach each other, and nothing else.
"""

VALUE_MAX = 2**53 - 1
"""The greatest whole number that every reader of JSON takes exactly (RFC 8259, 6)."""

NETWORK_BITS = 48
"""Of a network's number as it is passed on."""


def told_below(name: str, value: int | str, *, buyer: str) -> int | str:
    """A characteristic as the next seller below is told it.

    Two buyers may give their networks the same number, and the seller below has one buyer, us: so
    a network's number is passed on as one that no other buyer's becomes, always the same.
    """
    if name != NETWORK:
        return value
    digest = hashlib.blake2b(f"{buyer}\n{value}".encode(), digest_size=NETWORK_BITS // 8).digest()
    return int.from_bytes(digest, "big")


class Spec(Protocol):
    """One characteristic. minimum, maximum: both allowed. default: used if absent."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def minimum(self) -> int: ...
    @property
    def maximum(self) -> int: ...
    @property
    def default(self) -> int | None: ...


def chosen(
    specs: Iterable[Spec],
    asked: Mapping[str, int | str],
    *,
    offer: str,
    field: str,
    has: Mapping[str, int | str] | None = None,
) -> dict[str, int | str]:
    """What is asked, over what is had already, over the defaults.

    Raises Refused `characteristic-unknown`, `characteristic-missing` or
    `characteristic-out-of-range`, naming `field`.NAME.
    """
    known = {spec.name: spec for spec in specs}
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise Refused(
            "characteristic-unknown",
            f"{offer} has no characteristic {unknown[0]!r}, only {', '.join(known) or 'none'}.",
            field=f"{field}.{unknown[0]}",
        )
    values: dict[str, int | str] = {}
    for name, spec in known.items():
        value = asked.get(name, (has or {}).get(name, spec.default))
        if value is None:
            raise Refused(
                "characteristic-missing",
                f"{offer} needs {name} in {spec.unit}.",
                field=f"{field}.{name}",
            )
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not spec.minimum <= int(value) <= spec.maximum:
            raise Refused(
                "characteristic-out-of-range",
                f"{name} of {offer} is a whole number from {spec.minimum} to {spec.maximum} "
                f"{spec.unit}, not {value!r}.",
                field=f"{field}.{name}",
            )
        values[name] = int(value)
    return values
