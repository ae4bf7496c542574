"""What all commands share: how they name a node, open it, and answer when they are refused.

Rooms are imported inside commands, so that `--help` stays quick.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
from typer.core import TyperGroup

from hansa.entrypoints import errors
from hansa.foundation.errors import HansaError, Refused, TryLater

if TYPE_CHECKING:
    from hansa.federation.contract import AgreementRef
    from hansa.node import Node
    from hansa.storefront.seller import Storefront

DEFAULT_NODE = Path(".hansa/node")
DEBUG = "HANSA_DEBUG"
"""Set to anything, it shows where in the program an unforeseen error came from."""

NodeDir = Annotated[
    Path,
    typer.Option("--node", envvar="HANSA_NODE", metavar="DIR", help="The node's data folder."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, and nothing else, on stdout.")
]
Customer = Annotated[
    str, typer.Option("--for", metavar="CUSTOMER", help="The customer, by its short name.")
]
Key = Annotated[
    str,
    typer.Option("--key", metavar="KEY", help="Your key of this request: same key, same answer."),
]
Month = Annotated[
    str, typer.Option("--period", metavar="MONTH", help="A calendar month, as 2026-11.")
]
MaybeMonth = Annotated[
    str | None, typer.Option("--period", metavar="MONTH", help="Only this month, as 2026-11.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; it is kept.")]
By = Annotated[
    str, typer.Option("--by", envvar="HANSA_BY", metavar="NAME", help="Who does it; you.")
]
Version = Annotated[
    int | None, typer.Option("--version", metavar="N", help="Which version; else the newest.")
]


class Door(TyperGroup):
    """Answers refusals with one line on stderr and the exit code of their family."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HansaError as error:
            _answer(error)
        except Exception as error:
            if type(error).__module__.startswith("psycopg"):
                _answer(_lost(error))
            if isinstance(error, (typer.Exit, typer.Abort)) or _is_usage(error):
                raise
            if os.environ.get(DEBUG):
                raise
            words = f"unforeseen ({type(error).__name__}): {' '.join(str(error).split())}"
            typer.echo(f"{words} (set {DEBUG}=1 to see where)", err=True)
            raise typer.Exit(errors.UNFORESEEN.exit_code) from error


def _answer(error: HansaError) -> NoReturn:
    typer.echo(errors.line(error), err=True)
    raise typer.Exit(errors.answer(error).exit_code) from error


def _is_usage(error: Exception) -> bool:
    """Errors of the command line itself, which typer shows with a hint and exit code 2."""
    return hasattr(error, "exit_code") or isinstance(error, BrokenPipeError)


def group(help: str) -> typer.Typer:
    """The commands of one noun."""
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None)


# --- a node -------------------------------------------------------------------------------------


@contextmanager
def opened(folder: Path) -> Iterator[Node]:
    """The node in the folder, whose database must be running.

    Raises Refused `node-missing`, `settings-invalid`; TryLater `node-not-running`,
    `database-unreachable`.
    """
    from hansa.node import Node, database_url, load_settings

    settings = load_settings(folder)
    try:
        url = database_url(settings, folder)
    except TryLater:
        raise _not_running(folder) from None
    if not _answers(url):
        if not settings.database.url:
            raise _not_running(folder)
        raise TryLater(
            "database-unreachable",
            f"The database server at {urlsplit(url).hostname} does not answer; start it, or "
            "correct database.url in node.toml.",
        )
    node = Node(settings, folder=folder, database_url=url, connections_max=4)
    node.open()
    try:
        yield node
    finally:
        node.close()


def acting_for(node: Node, buyer: str, *, partners: bool = False) -> Storefront:
    """This node's storefront as one of its customers finds it; with `partners`, or a partner.

    Raises NotFound `customer-unknown`.
    """
    from hansa.federation import directory
    from hansa.foundation.party import Actor, party_id
    from hansa.lifecycle.agreement import actions

    party = party_id(buyer)
    with node.begin() as tx:
        if partners and any(one.party.id == party for one in directory.partners(tx)):
            return node.storefront(Actor(party, "partner"))
        actions.customer(tx, party=party)
    return node.storefront(Actor(party, "customer"))


def version_of(node: Node, agreement: str, version: int | None) -> AgreementRef:
    """One version of an agreement, the newest when none is given.

    Raises NotFound `agreement-unknown`.
    """
    from hansa.federation.contract import AgreementRef
    from hansa.foundation.errors import NotFound
    from hansa.foundation.ids import AgreementId
    from hansa.lifecycle.agreement import actions

    with node.begin() as tx:
        known = [one.ref for one in actions.all(tx) if one.ref.id == agreement]
    if version is not None:
        return AgreementRef(AgreementId(agreement), version)
    if not known:
        raise NotFound(
            "agreement-unknown", f"This node knows no agreement {agreement}.", field="agreement"
        )
    return max(known, key=lambda ref: ref.version)


def who(by: str) -> str:
    """The person who does it: as given, else the user of this machine."""
    return by.strip() or getpass.getuser()


def settings_of(pairs: list[str], *, option: str) -> dict[str, str]:
    """`name=value` pairs as a mapping. Raises Refused `pair-invalid`."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or name in found:
            raise Refused(
                "pair-invalid",
                f"{pair!r} is no new pair; write {option} name=value, each name once.",
                field=option.lstrip("-"),
            )
        found[name.strip()] = value
    return found


def _not_running(folder: Path) -> TryLater:
    return TryLater(
        "node-not-running",
        f"The node in {folder} is not running; start it with `hansa node run --node {folder}`.",
    )


def _lost(error: Exception) -> TryLater:
    return TryLater(
        "database-unreachable",
        f"The database did not answer as it should: {error}. See `hansa node status`.",
    )


def _answers(url: str) -> bool:
    """Whether anyone listens at the address of a database; True where it cannot be told."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        return True
    if not host or host.startswith("/") or "%2F" in host.upper() or "," in host:
        return True
    try:
        with socket.create_connection((host, port), timeout=5):
            return True
    except OSError:
        return False
