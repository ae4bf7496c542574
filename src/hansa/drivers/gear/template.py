"""Texts with gaps, for makes of equipment: the least that they need, and checked before use.

A line of its own that begins with `%` steers; every other line is text, in which `{site.asn}` is a
gap. Braces around anything else are text.

    % for line in site.lines
    % if class.strict = yes
    % end

What lies before its `% end` comes once for each, or if it is so; after `if` a field alone asks
whether there is any of it.

Every name is held against the dataclasses of site.py when the text is read, not when it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

GAP = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\}")
FOR = re.compile(r"for ([a-z][a-z0-9_]*) in ([a-z0-9_.]+)")
IF = re.compile(r"if ([a-z0-9_.]+)(?: = (\S+))?")

Scope = Mapping[str, Any]
Filled = Callable[[Scope], list[str]]


class Wrong(ValueError):
    """What is wrong in a text. line: where, from 1."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was read; `fill` is what is left to do."""

    _filled: Filled

    def fill(self, **things: object) -> str:
        """The text with its gaps filled; things: of the types that it was read for."""
        return "".join(f"{line}\n" for line in self._filled(things))


def read(text: str, *, escape: Callable[[str], str] = str, **types: type) -> Template:
    """A text, for things of these names and types. escape: for what goes into gaps.

    Raises Wrong.
    """
    reader = _Reader(text.splitlines(), escape)
    filled = reader.block(types, opened=0)
    return Template(filled)


class _Reader:
    """Reads line by line; `at` is the next one."""

    def __init__(self, lines: Sequence[str], escape: Callable[[str], str]) -> None:
        self._lines, self._escape, self._at = lines, escape, 0

    def block(self, types: Mapping[str, Any], *, opened: int) -> Filled:
        """Up to the end of what was opened in that line; 0: up to the end of the text."""
        parts: list[Filled] = []
        while self._at < len(self._lines):
            self._at += 1
            number, line = self._at, self._lines[self._at - 1]
            if not line.lstrip().startswith("%"):
                parts.append(self._text(line, types, number))
                continue
            order = line.strip()[1:].strip()
            if order == "end":
                if not opened:
                    raise Wrong(number, "`% end` ends nothing")
                return _joined(parts)
            parts.append(self._steered(order, types, number))
        if opened:
            raise Wrong(opened, "has no `% end`")
        return _joined(parts)

    def _steered(self, order: str, types: Mapping[str, Any], number: int) -> Filled:
        if found := FOR.fullmatch(order):
            name, path = found.groups()
            many = _type(path, types, number)
            if get_origin(many) is not tuple:
                raise Wrong(number, f"`{path}` is one thing, not many")
            if name in types:
                raise Wrong(number, f"`{name}` is the name of something else already")
            each = self.block({**types, name: get_args(many)[0]}, opened=number)
            return lambda scope: [
                line for one in _value(path, scope) for line in each({**scope, name: one})
            ]
        if found := IF.fullmatch(order):
            path, wanted = found.groups()
            _type(path, types, number)
            inner = self.block(types, opened=number)
            if wanted is None:
                return lambda scope: inner(scope) if _value(path, scope) else []
            return lambda scope: inner(scope) if _said(_value(path, scope)) == wanted else []
        raise Wrong(number, f"`% {order}` is no order; `for`, `if` and `end` are")

    def _text(self, line: str, types: Mapping[str, Any], number: int) -> Filled:
        for path in GAP.findall(line):
            found = _type(path, types, number)
            if found not in {str, int}:
                raise Wrong(number, f"`{path}` is not one word; repeat over it with `% for`")
        escape = self._escape
        return lambda scope: [GAP.sub(lambda gap: escape(str(_value(gap[1], scope))), line)]


def _joined(parts: Sequence[Filled]) -> Filled:
    return lambda scope: [line for part in parts for line in part(scope)]


def _type(path: str, types: Mapping[str, Any], number: int) -> Any:
    name, *rest = path.split(".")
    if name not in types:
        raise Wrong(number, f"`{name}` is not known here; {', '.join(sorted(types))} are")
    found = types[name]
    for step in rest:
        known = [one.name for one in fields(found)] if is_dataclass(found) else []
        if step not in known:
            raise Wrong(number, f"`{path}`: there is no `{step}`; there are {', '.join(known)}")
        found = get_type_hints(found)[step]
    return found


def _value(path: str, scope: Scope) -> Any:
    name, *rest = path.split(".")
    found = scope[name]
    for step in rest:
        found = getattr(found, step)
    return found


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
