"""What has to be said in every language, and what of it is not said yet.

`python -m hansa.entrypoints.portal.catalogues` (`make words`) looks through pages and templates and
brings `locale/<language>/<area>.po` up to date: new messages are there without words, those that
no page says any more are gone, one that has come from another area keeps its words. An area is a
folder of templates with its pages; all else is the area `portal`. `reasons.po` is apart: its
messages are reason codes, for who reads no English.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from hansa.entrypoints.portal.language import CATALOGUES, LANGUAGES, LOCALES, SOURCE

HERE = Path(__file__).parent
SHARED = "portal"
REASONS = "reasons"
MEANINGS = HERE.parents[3] / "docs" / "reasons.md"
SAID_ELSEWHERE = frozenset({"Demo", "Portal"})
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| [^|]+ \| (.+) \|$", re.MULTILINE)

METHODS = [("pages/**.py", "python"), ("templates/**.html", "jinja2"), ("*.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
OPTIONS = {
    "templates/**.html": {
        "extensions": "jinja2.ext.do",  # what `render` has beside, or a template is not understood
        "newstyle_gettext": "true",
        "silent": "false",  # nor passed over without a word
        "trimmed": "true",
    }
}

HEADER = """\
msgid ""
msgstr ""
"Language: {}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {}\\n"

"""

Messages = Mapping[str | tuple[str, str], Sequence[str]]
"""By message (one and many, where it is about a number): the files that say it."""

Words = str | tuple[str, ...] | list[str] | None
"""What a message is in a language, in each form where it is about a number."""


def area(file: Path) -> str:
    """To which area a file below the portal belongs."""
    parts = file.with_suffix("").parts
    return parts[1] if parts[0] in {"pages", "templates"} and _is_area(parts[1]) else SHARED


def _is_area(name: str) -> bool:
    return (HERE / "templates" / name).is_dir()


def wanted() -> Mapping[str, Messages]:
    """All that is said, area by area."""
    found: dict[str, dict[str | tuple[str, str], list[str]]] = {}
    extracted = extract_from_dir(HERE, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS)
    for name, _line, message, _comments, _context in extracted:
        said = (message[0], message[1]) if isinstance(message, tuple) else message
        files = found.setdefault(area(Path(name)), {}).setdefault(said, [])
        if name not in files:
            files.append(name)
    return found


def reasons() -> Mapping[str, str]:
    """What each reason code means, in English; but those whose words the portal says itself."""
    areas = re.split(r"^## (.+)$", MEANINGS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {
        code: meaning
        for name, text in zip(areas[::2], areas[1::2], strict=True)
        if name not in SAID_ELSEWHERE
        for code, meaning in ROW.findall(text)
    }


def kept(language: str, area: str) -> Catalog:
    """What is said in a language so far."""
    path = CATALOGUES / language / f"{area}.po"
    if not path.exists():
        return Catalog(locale=LOCALES[language], fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALES[language])


def unsaid() -> Iterator[str]:
    """`fr/sales.po: Add sites` for every message that a language lacks words for."""
    everything: dict[str, Iterable[str | tuple[str, str]]] = {**wanted(), REASONS: reasons()}
    for area, messages in sorted(everything.items()):
        for language in _others():
            catalogue = kept(language, area)
            for message in messages:
                found = catalogue.get(message if isinstance(message, str) else message[0])
                if found is None or not _has_words(found):
                    yield f"{language}/{area}.po: {message}"


def _has_words(found: Message) -> bool:
    said = found.string if isinstance(found.string, (tuple, list)) else (found.string,)
    return all(said) and not found.fuzzy


def bring_up_to_date() -> None:
    areas = wanted()
    for language in _others():
        so_far = {area: kept(language, area) for area in areas}
        for area, messages in areas.items():
            after = Catalog(locale=LOCALES[language], fuzzy=False)
            for message, files in messages.items():
                said = _said(message, [so_far[area], *so_far.values()])
                after.add(message, said, locations=[(name, 0) for name in files])
            _write(CATALOGUES / language / f"{area}.po", after)

        before, after = kept(language, REASONS), Catalog(locale=LOCALES[language], fuzzy=False)
        for code, meaning in reasons().items():
            old = before.get(code)
            after.add(code, old.string if old else None, auto_comments=[meaning])
        _write(CATALOGUES / language / f"{REASONS}.po", after)


def _said(message: str | tuple[str, str], catalogues: Iterable[Catalog]) -> Words:
    """Its words in the first of these that has some; None where none has."""
    for catalogue in catalogues:
        old = catalogue.get(message if isinstance(message, str) else message[0])
        if old and bool(old.pluralizable) == isinstance(message, tuple) and _has_words(old):
            return old.string
    return None


def _write(path: Path, catalogue: Catalog) -> None:
    """With no more of a header than readers need, so that a file changes with its words alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(path.parent.name, catalogue.plural_forms).encode())
        write_po(
            file, catalogue, omit_header=True, sort_output=True, width=100, include_lineno=False
        )


def _others() -> Sequence[str]:
    return [language for language in LANGUAGES if language != SOURCE]


if __name__ == "__main__":
    bring_up_to_date()
    left = list(unsaid())
    sys.stdout.write(f"{len(left)} messages have no words yet in some language.\n")
