"""The query of a list: read, held against documents, and paged (TMF630 part 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from hansa.federation.exchange import Answer
from hansa.federation.records.model import Condition, Sort, Test, comparable
from hansa.federation.tmf.engine.model import Found, Query, Visit
from hansa.federation.tmf.shapes.common import malformed
from hansa.federation.wire import render
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused

PAGE = 100
PAGE_MAX = 1000
"""How many things one answer lists: unless asked otherwise, and at most."""

WHOLE = 10_000
"""How many things are looked through in memory where a source does not know a filter."""

RESERVED = frozenset({"fields", "offset", "limit", "sort"})
"""Parameters that are no filters."""

FILTERS_MAX = 20
VALUES_MAX = 100
STEPS_MAX = 10
TEXT_MAX = 1000

_VALUE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)')\s*(?=,|\Z)|([^,]*)""")

TESTS: tuple[str, ...] = tuple(test for test in get_args(Test) if test != "eq")

# --- read -------------------------------------------------------------------------------------


def read(query: Sequence[tuple[str, str]]) -> Query:
    """The query of a list. Raises Refused `malformed` that names the parameter."""
    first = dict(reversed(query))
    filters = tuple(_filter(name, text) for name, text in query if name not in RESERVED)
    if len(filters) > FILTERS_MAX:
        raise malformed(query[-1][0], f"at most {FILTERS_MAX} filters are taken")
    return Query(
        filters=filters,
        sort=tuple(_sorts(first.get("sort", ""))),
        offset=_number(first, "offset", 0),
        limit=min(_number(first, "limit", PAGE), PAGE_MAX),
    )


def read_fields(query: Sequence[tuple[str, str]]) -> frozenset[str] | None:
    """The attributes that are asked for; None for all, an empty set for `none`."""
    text = ",".join(value for name, value in query if name == "fields")
    if not text:
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        _path(name, "fields")
    return frozenset() if names == ["none"] else frozenset(names)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise malformed(name, "a whole number is expected")
    return int(text)


def _filter(name: str, text: str) -> Condition:
    path, _, test = name.rpartition(".")
    if not path or test not in TESTS:
        path, test = name, "eq"
    steps = _path(path, name)
    if len(text) > TEXT_MAX or not text.isprintable():
        raise malformed(name, f"at most {TEXT_MAX} printable characters are expected")
    values = tuple(_values(text))
    if len(values) > VALUES_MAX:
        raise malformed(name, f"at most {VALUES_MAX} values are taken")
    return Condition(steps, test, values)  # type: ignore[arg-type]


def _path(text: str, name: str) -> tuple[str, ...]:
    steps = tuple(text.split("."))
    if len(steps) > STEPS_MAX or len(text) > TEXT_MAX or not text.isprintable() or not all(steps):
        raise malformed(name or "query", "the path of an attribute is expected, e.g. name.first")
    return steps


def _values(text: str) -> Iterator[str]:
    """What commas part, outside of quotes; quotes around a value are taken off."""
    end = -1
    while end < len(text):
        found = _VALUE.match(text, end + 1)
        assert found is not None
        yield next((one for one in found.groups() if one is not None), "")
        end = found.end()


def _sorts(text: str) -> Iterator[Sort]:
    for name in filter(None, text.split(",")):
        bare = name.strip().removeprefix("+").removeprefix("-")
        yield Sort(_path(bare, "sort"), descending=name.strip().startswith("-"))


# --- hold against documents -------------------------------------------------------------------


def at(document: Json, path: Sequence[str]) -> Iterator[Json]:
    """Every simple value at a path; lists on the way and at its end count by element."""
    if isinstance(document, list | tuple):
        for one in document:
            yield from at(one, path)
    elif path:
        if isinstance(document, dict) and path[0] in document:
            yield from at(document[path[0]], path[1:])
    elif not isinstance(document, dict):
        yield document


def text_of(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def fits(document: Json, condition: Condition) -> bool:
    """Whether any value at the filter's path passes it."""
    return any(
        _passes(value, condition.test, wanted)
        for value in at(document, condition.path)
        for wanted in condition.values
        if value is not None
    )


def _passes(value: Json, test: Test, wanted: str) -> bool:
    left: Any = value
    right: Any = None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        right = comparable(wanted)
    if right is None:
        left, right = text_of(value), wanted
    if test == "eq":
        return bool(left == right)
    if test in ("gt", "gte"):
        return bool(left > right or (test == "gte" and left == right))
    return bool(left < right or (test == "lte" and left == right))


def _rank(value: Json) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 3, value
    if isinstance(value, int | Decimal):
        return 2, value
    return (1, value) if isinstance(value, str) else (4, 0)


def select(documents: Sequence[Json], query: Query) -> Found:
    """The page of these documents that a query asks for. What lacks an attribute sorts last."""
    kept = [one for one in documents if all(fits(one, condition) for condition in query.filters)]
    for order in reversed(query.sort):
        having = [one for one in kept if next(at(one, order.path), None) is not None]
        lacking = [one for one in kept if next(at(one, order.path), None) is None]
        having.sort(key=lambda one: _rank(next(at(one, order.path))), reverse=order.descending)
        kept = having + lacking
    return Found(kept[query.offset : query.offset + query.limit], len(kept))


# --- sources that know only some filters ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """What such a source is asked for: exact values by known filter, and a page."""

    filters: Mapping[str, str]
    offset: int
    limit: int


def windowed(
    find: Callable[[Visit, Window], Found], known: Sequence[str] = ()
) -> Callable[[Visit, Query], Found]:
    """A Source's `find` out of one that applies the `known` filters alone, one exact value each.

    When no other filter and no sort is asked for, its page and total are taken as they are;
    else at most WHOLE of its things are looked through here. Raises Refused `search-too-wide`
    when there are more.
    """

    def found(visit: Visit, query: Query) -> Found:
        pushed = {
            one.name: one.values[0]
            for one in query.filters
            if one.test == "eq" and len(one.values) == 1 and one.name in known
        }
        if len(pushed) == len(query.filters) and not query.sort:
            return find(visit, Window(pushed, query.offset, query.limit))
        whole = find(visit, Window(pushed, 0, WHOLE))
        if whole.total > len(whole.documents):
            raise Refused(
                "search-too-wide",
                f"There are {whole.total} of them, and at most {WHOLE} are looked through. "
                f"Ask for fewer, by {' or '.join(known) or 'their ids'}.",
                field="query",
            )
        return select(whole.documents, query)

    return found


# --- fields -----------------------------------------------------------------------------------

KEPT = frozenset({"id", "href", "@type"})


def project(document: Json, fields: frozenset[str] | None) -> Json:
    """The document with the attributes that were asked for; `id`, `href` and `@type` stay.

    Of a dotted name the whole first attribute is given.
    """
    if fields is None:
        return document
    asked = KEPT | {name.partition(".")[0] for name in fields}
    return {name: value for name, value in document.items() if name in asked}


def answer(
    found: Found, fields: frozenset[str] | None, headers: Mapping[str, str] | None = None
) -> Answer:
    """A page of a list: 206 when there is more than it holds, and how much there is in all."""
    page = [project(one, fields) for one in found.documents]
    counts = {"x-total-count": str(found.total), "x-result-count": str(len(page))}
    status = 200 if len(page) == found.total else 206
    return Answer(status, render(page), {**counts, **(headers or {})})
