"""In which language a page speaks: words, and how numbers, money, dates and times are written.

The language of the page that is being made is a context variable, set once a request, because
templates and functions share one environment. Catalogues are gettext's text files,
`locale/<language>/<area>.po`, read when the process starts.
"""

from __future__ import annotations

import gettext as gnu
import io
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import NumberPattern, format_decimal, format_percent, parse_pattern
from babel.units import format_unit

from hansa.foundation.money import Money, minor_digits
from hansa.foundation.time import Instant

CATALOGUES = Path(__file__).parent / "locale"

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "pt-BR": "Português (Brasil)",
    "pt-PT": "Português (Portugal)",
}
"""Every language of the portal, by its BCP 47 tag, as its own speakers call it."""

LOCALES: Mapping[str, str] = {
    "en": "en_GB",
    "es": "es",
    "fr": "fr",
    "pt-BR": "pt_BR",
    "pt-PT": "pt_PT",
}
"""The same by the name of its locale in the CLDR, of which numbers and dates are written."""
SOURCE = "en"
"""What the pages are written in; it needs no catalogue."""

LANGUAGE: ContextVar[str] = ContextVar("language", default=SOURCE)
ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


def chosen(wanted: Iterable[str], *, otherwise: str) -> str:
    """The first of these tags that the portal speaks, a nearer one before a mere relative.

    `pt` alone is Brazil's, `pt-AO` and every other Portuguese is Portugal's.
    """
    for tag in wanted:
        parts = tag.strip().replace("_", "-").split("-")
        whole = "-".join([parts[0].lower(), *(one.upper() for one in parts[1:2])])
        if whole in LANGUAGES:
            return whole
        if parts[0].lower() == "pt":
            return "pt-BR" if len(parts) == 1 else "pt-PT"
        if parts[0].lower() in LANGUAGES:
            return parts[0].lower()
    return otherwise if otherwise in LANGUAGES else SOURCE


def accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4)."""
    ranked = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        if tag and tag != "*":
            share = Decimal(weight) if weight.replace(".", "", 1).isdecimal() else Decimal(1)
            ranked.append((-share, place, tag))
    return [tag for _share, _place, tag in sorted(ranked)]


@cache
def catalogue(language: str) -> gnu.NullTranslations:
    """All words of a language, from every area's file."""
    found: gnu.NullTranslations = gnu.NullTranslations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            read = read_po(file, locale=LOCALES[language])
        compiled = io.BytesIO()
        write_mo(compiled, read)
        compiled.seek(0)
        area = gnu.GNUTranslations(compiled)
        area.add_fallback(found)
        found = area
    return found


def gettext(message: str, /, **values: object) -> str:
    """This message in the page's language, with `%(name)s` filled in."""
    said = catalogue(LANGUAGE.get()).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The same for a number of things; `%(num)s` is the number."""
    return counted(one, many, number) % {"num": number, **values}


def counted(one: str, many: str, number: int, /) -> str:
    """The same for templates, which fill in what they name themselves."""
    return catalogue(LANGUAGE.get()).ngettext(one, many, number)


def explained(code: str) -> str:
    """What a reason code means, in the page's language; nothing where the words are English, or
    are said in that language when the reason is given.
    """
    meaning = catalogue(LANGUAGE.get()).gettext(code)
    return "" if meaning == code else meaning


def noted(message: str) -> str:
    """Marks a message that is translated later, where it is shown."""
    return message


def locale() -> Locale:
    return _locale(LANGUAGE.get())


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(LOCALES[language])


@cache
def _pattern(digits: int) -> NumberPattern:
    """Of an amount with so many decimals, all of them shown."""
    return parse_pattern(f"#,##0.{'0' * digits}" if digits else "#,##0")


def money(value: Money) -> str:
    """An amount with its currency's code, exact, with the currency's own decimals.

    The code and not a sign, because most pages show several currencies and signs are shared.
    """
    shown = _pattern(minor_digits(value.currency)).apply(value.amount, locale())
    return f"{shown}\N{NO-BREAK SPACE}{value.currency}"


def number(value: int | Decimal, digits: int | None = None) -> str:
    """A number with the language's separators; digits: so many decimals at most."""
    shown = Decimal(value) if digits is None else round(Decimal(value), digits)
    return format_decimal(shown, locale=locale(), decimal_quantization=False)


def percent(value: Decimal | int, digits: int = 1) -> str:
    """A share of one as percent."""
    return format_percent(
        round(Decimal(value), digits + 2), locale=locale(), decimal_quantization=False
    )


def basis(value: int) -> str:
    """Hundredths of a percent as percent, exact."""
    return percent(Decimal(value).scaleb(-4), 2)


def country(code: str) -> str:
    """A country by its ISO 3166-1 code, as the page's language calls it."""
    name: str = locale().territories.get(code, code)
    return name


def day(value: date | Instant) -> str:
    """A date as people write it."""
    if isinstance(value, datetime):
        value = value.astimezone(ZONE.get()).date()
    return format_date(value, format="medium", locale=locale())


def moment(value: Instant) -> str:
    """A date and time in the portal's time zone, which is named."""
    shown = format_datetime(value, format="medium", tzinfo=ZONE.get(), locale=locale())
    return f"{shown} {value.astimezone(ZONE.get()).tzname()}"


def when(value: Instant) -> str:
    """Day and minute, short, for the points of a chart; in the portal's time zone."""
    day, minute = (
        format_skeleton(of, value, tzinfo=ZONE.get(), locale=locale()) for of in ("MMMd", "Hm")
    )
    return str(locale().datetime_formats["short"]).format(minute, day)


def span(value: timedelta) -> str:
    """How long something takes, by its two largest units: 2 days and 4 hours."""
    seconds = int(value.total_seconds())
    if seconds < 1:
        return gettext("less than a second")
    parts = [
        (seconds // 86_400, "duration-day"),
        (seconds // 3_600 % 24, "duration-hour"),
        (seconds // 60 % 60, "duration-minute"),
        (seconds % 60, "duration-second"),
    ]
    first = next(at for at, (count, _unit) in enumerate(parts) if count)
    said = [
        format_unit(count, unit, "long", locale=locale())
        for at, (count, unit) in enumerate(parts)
        if at == first or (at == first + 1 and count)
    ]
    return format_list(said, locale=locale())


def month(value: date | Instant | str) -> str:
    """A calendar month as people write it, from any day in it or from `2026-11`."""
    first = date.fromisoformat(f"{value}-01") if isinstance(value, str) else value
    return format_date(first, format="LLLL y", locale=locale())
