"""Every message has words in every language, with what is filled into it, and none is left over."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from hansa.entrypoints.portal import catalogues
from hansa.entrypoints.portal.catalogues import Messages
from hansa.entrypoints.portal.language import CATALOGUES, LANGUAGE, LANGUAGES, SOURCE, gettext

HOLE = re.compile(r"%\(\w+\)s")
OTHERS = [language for language in LANGUAGES if language != SOURCE]


def texts(message: Message) -> tuple[set[str], list[set[str]]]:
    """What has to be filled into a message: in English, and in each form of its words."""
    forms = [set(HOLE.findall(one)) for one in _forms(message.string)]
    return {hole for one in _forms(message.id) for hole in HOLE.findall(one)}, forms


def _forms(said: object) -> list[str]:
    """One text, or one for each form where it is about a number."""
    return [str(one or "") for one in (said if isinstance(said, (tuple, list)) else (said,))]


@pytest.fixture(scope="module")
def wanted() -> Mapping[str, Messages]:
    return catalogues.wanted()


@pytest.fixture(scope="module")
def kept(wanted: Mapping[str, Messages]) -> Mapping[tuple[str, str], Catalog]:
    """What is said, by language and area."""
    return {(one, area): catalogues.kept(one, area) for one in OTHERS for area in wanted}


def test_everything_is_said_in_every_language() -> None:
    assert list(catalogues.unsaid()) == [], "run `make words`, then give these words"


def test_nothing_is_left_over(
    wanted: Mapping[str, Messages], kept: Mapping[tuple[str, str], Catalog]
) -> None:
    for (language, area), catalogue in kept.items():
        there = {one.id for one in catalogue if one.id}
        assert there - set(wanted[area]) == set(), f"{language}/{area}.po"


def test_a_message_keeps_its_words_when_it_moves_to_another_area(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if all that is said in two areas had changed places."""
    shutil.copytree(CATALOGUES, tmp_path / "locale")
    monkeypatch.setattr(catalogues, "CATALOGUES", tmp_path / "locale")
    portal, sales = (tmp_path / "locale" / "fr" / f"{area}.po" for area in ("portal", "sales"))
    portal.rename(tmp_path / "portal.po")
    sales.rename(portal)
    (tmp_path / "portal.po").rename(sales)
    assert list(catalogues.unsaid()) != []
    catalogues.bring_up_to_date()
    assert list(catalogues.unsaid()) == []


def test_what_is_filled_in_is_filled_in_in_every_language(
    kept: Mapping[tuple[str, str], Catalog],
) -> None:
    wrong = []
    for (language, area), catalogue in kept.items():
        for message in catalogue:
            holes, said = texts(message)
            # One of several forms may do without a number, as English does.
            fits = [one <= holes if len(said) > 1 else one == holes for one in said]
            if message.id and not all(fits):
                wrong.append(f"{language}/{area}.po: {message.id}")
    assert wrong == []


def test_no_sentence_is_english_in_disguise(kept: Mapping[tuple[str, str], Catalog]) -> None:
    """One that stands in a language as it does in English was not translated."""
    same = [
        f"{language}/{area}.po: {message.id}"
        for (language, area), catalogue in kept.items()
        for message in catalogue
        if isinstance(message.id, str)
        and len(message.id.split()) > 3
        and message.string == message.id
    ]
    assert same == []


ALONE = {"By", "For", "From", "In", "Of", "On", "To", "With"}
"""Words that mean something else wherever they stand, and are other words in other languages."""


def test_what_is_said_has_a_meaning_of_its_own(wanted: Mapping[str, Messages]) -> None:
    for area, messages in wanted.items():
        assert not ALONE & set(messages), f"{area}: name the thing, as `Valid from`"


def test_a_message_is_the_same_words_in_every_area(
    kept: Mapping[tuple[str, str], Catalog],
) -> None:
    """All areas' words are read as one: of two that differ, one would never be seen."""
    said: dict[tuple[str, str], str] = {}
    for (language, area), catalogue in kept.items():
        for message in catalogue:
            found = said.setdefault((language, str(message.id)), str(message.string))
            assert message.id == "" or found == str(message.string), f"{language}/{area}.po"


@pytest.mark.parametrize("spoken", OTHERS)
@pytest.mark.parametrize(
    "meanings",
    [
        ("Valid from", "At least", "Issued by", "Calling number", "Who pays", "Source", "Start"),
        ("Valid until", "At most", "Billed to", "Called number", "Payee", "New state"),
        ("Due by", "Done by", "Supplier"),
        ("Counterparty", "Options"),
        ("Buyer", "Kind", "Month"),
        ("Change", "Edit", "Save the changes", "Kind of change"),
        ("New", "New state"),
        ("Live", "Live updates", "Active"),
        ("Orders", "Payment orders"),
    ],
)
def test_what_means_something_else_is_said_in_other_words(
    meanings: tuple[str, ...], spoken: str
) -> None:
    before = LANGUAGE.set(spoken)
    try:
        said = {gettext(one) for one in meanings}
    finally:
        LANGUAGE.reset(before)
    assert len(said) == len(meanings)
