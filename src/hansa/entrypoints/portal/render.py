"""Templates: one environment for all pages, and what they may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hansa.entrypoints.portal import language, words
from hansa.entrypoints.portal.front import Front

TEMPLATES = Path(__file__).parent / "templates"

FILTERS: Mapping[str, Callable[..., str]] = {
    "money": language.money,
    "number": language.number,
    "percent": language.percent,
    "basis": language.basis,
    "country": language.country,
    "date": language.day,
    "time": language.moment,
    "month": language.month,
    "span": language.span,
    "when": language.when,
    "said": words.said,
}


@cache
def front() -> Front:
    """The static files, read once."""
    return Front()


@cache
def environment() -> Environment:
    """The one environment: what is not there is an error, what is shown is text and never HTML."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.counted, newstyle=True
    )
    made.filters.update(FILTERS)
    made.globals.update(
        static=front().url, explained=language.explained, LANGUAGES=language.LANGUAGES
    )
    return made


def page(template: str, context: Mapping[str, object]) -> str:
    """A template filled in, in the language of the page that is being made."""
    return environment().get_template(template).render(context)
