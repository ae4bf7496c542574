"""Files that people write, read strictly: YAML (or JSON) into frozen values, with line numbers.

YAML as a telecom operator means it: `NO` is Norway and `0044` a text; only `true`, `false`
and `null` are special. Numbers are exact: a fraction becomes a Decimal from its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused

SIZE_MAX = 4_000_000
"""The longest file that is read, in octets."""

Thing = TypeVar("Thing")
Place = tuple[int | str, ...]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WORDS: Mapping[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}

_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset({f"{_TAG}str", f"{_TAG}seq", f"{_TAG}map"})

_SAID: Mapping[str, str] = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is not known here",
    "extra_forbidden": "is not known here",
    "string_type": "must be text; put a number in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "decimal_parsing": "must be a decimal number",
    "decimal_type": "must be a decimal number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a list of `name: value` lines",
    "dataclass_type": "must be a list of `name: value` lines",
    "dataclass_exact_type": "must be a list of `name: value` lines",
}
"""What is wrong, in the words of someone who writes such a file."""

_UNKNOWN = frozenset({"unexpected_keyword_argument", "extra_forbidden"})


class _Loader(yaml.CSafeLoader):
    """Leaves every plain scalar as its text; what it means is decided here."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as PyYAML declares it


@dataclass(slots=True)
class _Lines:
    """Where each part of the document stands: its line, counted from 1."""

    of: dict[Place, int]

    def find(self, place: Place) -> int:
        """The line of the nearest part that is there."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.of:
                return self.of[place[:length]]
        return self.of.get((), 1)


def load(path: Path, kind: type[Thing]) -> Thing:
    """The file's content as `kind`, a dataclass made of ours or a tuple of such.

    Strict: unknown, missing, repeated and mistyped fields are refused with file and line.
    A time without a zone is UTC, a day alone its first moment. Raises Refused `file-invalid`,
    its field the dotted path within the file; `file-unreadable`.
    """
    text = text_of(path)
    if text.lstrip()[:1] in ("{", "["):
        # JSON allows tabs between its parts where YAML does not; within its texts there are none.
        text = text.replace("\t", " ")
    try:
        root = yaml.compose(text, _Loader)
        lines = _Lines({})
        value = _value(path, root, (), lines, set()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        _refuse(path, line, "", ": ".join(filter(None, (error.context, error.problem))))
    except (yaml.YAMLError, ValueError) as error:
        _refuse(path, 1, "", str(error).splitlines()[0])
    except RecursionError:
        _refuse(path, 1, "", "it is nested too deeply")
    if value is None:
        _refuse(path, 1, "", "the file is empty")
    try:
        thing = _read(kind, value)
    except ValidationError as error:
        _explain(path, error.errors(include_url=False), value, lines)
    except Refused as refusal:
        _refuse(path, 1, refusal.field or "", refusal.words)
    done: Thing = _in_utc(thing)
    return done


def _read(kind: type[Thing], value: Json) -> Thing:
    """Reads as JSON would be read, so that nothing is taken for what it is not."""
    adapter = TypeAdapter(kind)
    try:
        return adapter.validate_json(json.dumps(value), strict=True, extra="forbid")
    except ValidationError as error:
        days = [one["loc"] for one in error.errors() if one["type"].startswith("datetime_")]
        if not days:
            raise
        for where in days:
            _begin_day(value, where)
    return adapter.validate_json(json.dumps(value), strict=True, extra="forbid")


def _begin_day(value: Json, where: Place) -> None:
    """Where a time is wanted and only a day is given, puts the day's first moment."""
    for step in where[:-1]:
        value = value[step]
    if _DAY.fullmatch(str(value[where[-1]])):
        value[where[-1]] += "T00:00:00Z"


def text_of(path: Path) -> str:
    """A file's text, at most SIZE_MAX octets of UTF-8. Raises Refused `file-unreadable`."""
    try:
        if path.stat().st_size > SIZE_MAX:
            raise Refused(
                "file-unreadable",
                f"{path} is longer than {SIZE_MAX:,} octets; split it.",
                field="file",
            )
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise Refused("file-unreadable", f"{path} cannot be read: {why}.", field="file") from None


# --- nodes to plain values ----------------------------------------------------------------------


def _value(path: Path, node: yaml.Node, place: Place, lines: _Lines, seen: set[int]) -> Json:
    line = lines.of.setdefault(place, node.start_mark.line + 1)
    if id(node) in seen:
        _refuse(path, line, _dotted(place), "is an alias (`*name`); write it out")
    seen.add(id(node))
    if node.tag not in _KNOWN_TAGS:
        _refuse(path, line, _dotted(place), f"has a tag ({node.tag}); leave it away")
    if isinstance(node, yaml.MappingNode):
        return _mapping(path, node, place, lines, seen)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(path, item, (*place, number), lines, seen)
            for number, item in enumerate(node.value)
        ]
    return _scalar(node)


def _mapping(
    path: Path, node: yaml.MappingNode, place: Place, lines: _Lines, seen: set[int]
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            _refuse(path, line, _dotted(place), "has a name that is not text")
        inner = (*place, key.value)
        if key.value in found:
            _refuse(path, line, _dotted(inner), "is given twice")
        lines.of[inner] = line
        found[key.value] = _value(path, item, inner, lines, seen)
    return found


def _scalar(node: yaml.Node) -> Json:
    text: str = node.value
    if getattr(node, "style", None):  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return text  # a decimal too: it travels as its text, exactly


# --- what is wrong with them --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fault:
    """One thing wrong, and where. Of a union each alternative is tried: union is its place,
    tried the name of the alternative; None outside unions. wrong_kind: a field that may have
    one value only, by which the alternative is known, has another one.
    """

    place: Place
    union: Place | None
    tried: int | str | None
    type: str
    words: str
    wrong_kind: bool


def _explain(path: Path, errors: Sequence[ErrorDetails], value: Json, lines: _Lines) -> NoReturn:
    """Refuses for the first thing wrong; an unknown field before all that follows from it."""
    faults = _nearest([_fault(error, value) for error in errors])
    first = min(faults, key=lambda one: (one.type not in _UNKNOWN, lines.find(one.place)))
    words = [one.words for one in faults if one.place == first.place]
    said = " or ".join(dict.fromkeys(words)).replace(" or must be ", " or ")
    _refuse(path, lines.find(first.place), _dotted(first.place), said)


def _fault(error: ErrorDetails, value: Json) -> _Fault:
    """Where in the file an error is. Pydantic names a tried alternative as a step of its own,
    which no part of the file has.
    """
    place: Place = ()
    union: Place | None = None
    tried: int | str | None = None
    here = value
    for step in error["loc"]:
        known = False
        if isinstance(here, dict):
            known = step in here or (error["type"] == "missing" and step == error["loc"][-1])
            below = here.get(step)
        elif isinstance(here, list) and isinstance(step, int):
            known, below = True, here[step]
        if known:
            here, place = below, (*place, step)
        elif union is None:
            union, tried = place, step
    words = _SAID.get(error["type"]) or _said(error)
    literal = error["type"] == "literal_error"
    wrong_kind = literal and " or " not in error["ctx"]["expected"]
    return _Fault(place, union, tried, error["type"], words, wrong_kind)


def _said(error: ErrorDetails) -> str:
    if error["type"] in ("literal_error", "enum"):
        return f"must be {error['ctx']['expected']}"
    if error["type"].startswith("datetime_"):
        return "must be a time such as 2026-11-01T08:00:00Z"
    if error["type"].startswith("date_"):
        return "must be a day such as 2026-11-01"
    return error["msg"][:1].lower() + error["msg"][1:]


def _nearest(faults: Sequence[_Fault]) -> Sequence[_Fault]:
    """Of each union only the alternative that was meant: the one whose kind is given, with
    the fewest faults. When none is of that kind, the faults of the kind itself.
    """
    kept = [one for one in faults if one.union is None]
    for union in {one.union for one in faults if one.union is not None}:
        inside = [one for one in faults if one.union == union]
        tries = [
            [one for one in inside if one.tried == tried]
            for tried in dict.fromkeys(one.tried for one in inside)
        ]
        meant = [group for group in tries if not any(one.wrong_kind for one in group)]
        if meant:
            best = min(meant, key=len)
            kept += best
        else:
            kept += [one for one in inside if one.wrong_kind]
    return kept


def _dotted(place: Place) -> str:
    return ".".join(str(step) for step in place)


def _refuse(path: Path, line: int, field: str, words: str) -> NoReturn:
    raise Refused(
        "file-invalid",
        f"{path} line {line}: {f'{field}: ' if field else ''}{words.rstrip('.')}.",
        field=field or None,
    )


# --- times --------------------------------------------------------------------------------------


def _in_utc(thing: Any) -> Any:
    """The same value with every time in UTC."""
    if isinstance(thing, datetime):
        return thing.replace(tzinfo=UTC) if thing.tzinfo is None else thing.astimezone(UTC)
    if isinstance(thing, tuple | list):
        return type(thing)(_in_utc(one) for one in thing)
    if isinstance(thing, dict):
        return {key: _in_utc(one) for key, one in thing.items()}
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(
            thing, **{one.name: _in_utc(getattr(thing, one.name)) for one in fields(thing)}
        )
    return thing
