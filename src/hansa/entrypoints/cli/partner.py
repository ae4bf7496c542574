"""`hansa partner`: whom this node trades with, and how they are introduced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.callback import callback
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    NodeDir,
    Why,
    group,
    opened,
    who,
)
from hansa.foundation.errors import Refused
from hansa.foundation.party import party_id

if TYPE_CHECKING:
    from hansa.federation.model import Dialect, Partner
    from hansa.foundation.documents import Json
    from hansa.node import Node

app = group("Partners: operators whose nodes trade with this one.")

PartyName = Annotated[str, typer.Argument(metavar="PARTY", help="The partner, by its short name.")]
KeyName = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="KEY",
        help="Only this key or certificate, by its id (hansa partner show); else the whole party.",
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write our card to this file.")
]


@app.command(epilog="Example: hansa partner invite --out bt.card.json")
def invite(out: Out = None, node: NodeDir = DEFAULT_NODE) -> None:
    """Make our card, which another operator joins; signed with our key, and not secret.

    Without --out it is printed. Let the other operator confirm the id of the key (kid) with you
    by another way, for instance by telephone.
    """
    with opened(node) as ours:
        card = _card(ours)
    _hand_over(card, out)


@app.command(epilog="Example: hansa partner join mtn.card.json --out bt.card.json")
def join(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The other operator's card.")],
    out: Out = None,
    confirmed: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="Id of a new key that the other operator has confirmed, when it has lost its own.",
        ),
    ] = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Make the operator of this card a partner; it has to join our card too.

    The same card again changes nothing; a newer one renews name, address, dialect and keys, if
    it is signed with a key that we know and trust.
    """
    from hansa.federation import directory

    card = directory.read_card(_read(file))
    with opened(node) as ours:
        with ours.begin() as tx:
            partner = directory.join(
                tx, card=card, now=ours.clock.now(), confirmed=confirmed, by=who(by)
            )
        if out is not None:
            _hand_over(_card(ours), out)
    render.facts(
        f"{partner.party.name} ({partner.party.id}) is a partner",
        _facts(partner),
    )


app.command(epilog="Example: hansa partner callback mtn hooks.mtn.example")(callback)


@app.command("list", epilog="Example: hansa partner list --json")
def list_partners(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List our partners."""
    from hansa.federation import directory

    with opened(node) as ours, ours.begin() as tx:
        found = directory.partners(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Partners",
        (
            "party",
            "name",
            "country",
            "currency",
            "address",
            "dialect",
            "trust",
            "joined",
            "revoked",
        ),
        [
            (
                one.party.id,
                one.party.name,
                one.party.country,
                one.party.currency,
                one.address,
                one.dialect,
                one.trust,
                one.joined_at,
                one.revoked_at,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa partner show mtn")
def show(party: PartyName, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show a partner: its keys and certificates, what was done about trust in it, and how many
    notices it has not answered.
    """
    from hansa.federation import directory
    from hansa.federation import notices as told

    with opened(node) as ours, ours.begin() as tx:
        found = directory.partner(tx, party=party_id(party))
        acts = directory.trust_acts(tx, party=found.party.id)
        unheard = told.undelivered(tx, to=found.party.id)
    given_up = sum(one.next_at is None for one in unheard)
    waiting = {
        "notices_waiting": len(unheard) - given_up,
        "notices_given_up": given_up,
        "notices_since": unheard[0].since if unheard else None,
    }
    if as_json:
        render.as_json({**render.plain(found), "acts": acts, **waiting})
        return
    told_of = {name.replace("_", " "): value for name, value in waiting.items()}
    render.facts(f"{found.party.name} ({found.party.id})", {**_facts(found), **told_of})
    render.table(
        "Keys and certificates",
        ("what", "id", "from", "to", "revoked"),
        [
            *(("key", one.kid, one.valid_from, one.valid_to, one.revoked_at) for one in found.keys),
            *(
                ("certificate", one.sha256, one.valid_from, one.valid_to, one.revoked_at)
                for one in found.certificates
            ),
        ],
    )
    render.table(
        "Acts of trust",
        ("at", "act", "key", "why", "by"),
        [(one["at"], one["act"], one["kid"], one["why"], one["by_whom"]) for one in acts],
    )


@app.command(epilog="Example: hansa partner notices acme")
def notices(
    party: Annotated[
        str, typer.Argument(metavar="[PARTY]", help="Of this partner only, by its short name.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List notices that partners have not answered, the oldest first.

    A node is told until it answers. A partner of another make is told at growing intervals for
    limits.foreign_notice_h hours; what has no next try was given up: see hansa partner resend.
    """
    from hansa.federation import notices as told

    with opened(node) as ours, ours.begin() as tx:
        found = told.undelivered(tx, to=party_id(party) if party else None)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Notices without an answer",
        ("to", "notice", "task", "since", "tries>", "next try", "why"),
        [
            (one.to, one.notice, one.task, one.since, one.tries, one.next_at, one.error)
            for one in found
        ],
    )


@app.command(epilog='Example: hansa partner resend acme --why "their listener is back"')
def resend(
    party: PartyName,
    why: Why,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Send the notices again that were given up because a partner did not answer."""
    from hansa.federation import directory
    from hansa.federation import notices as told

    with opened(node) as ours, ours.begin() as tx:
        partner = directory.partner(tx, party=party_id(party))
        sent = told.resend(tx, to=partner.party.id, by=who(by), why=why, now=ours.clock.now())
    render.say(f"{sent} notices are sent to {partner.party.id} again")


@app.command(
    epilog="Example: hansa partner add acme --name ACME --country DE --currency EUR "
    "--address https://api.acme.example/oss --dialect tmf --token-url "
    "https://login.acme.example/token --client-id hansa --secret-file secrets/acme"
)
def add(
    party: PartyName,
    name: Annotated[str, typer.Option(metavar="TEXT", help="The name that papers show.")],
    country: Annotated[str, typer.Option(metavar="CC", help="ISO 3166-1, two letters: DE.")],
    currency: Annotated[str, typer.Option(metavar="CUR", help="ISO 4217: EUR.")],
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where its API answers; may have a path.")
    ],
    dialect: Annotated[str, typer.Option(metavar="DIALECT", help="tmf or sonata.")],
    token_url: Annotated[
        str, typer.Option(metavar="URL", help="Where it gives us tokens (OAuth 2).")
    ] = "",
    client_id: Annotated[str, typer.Option(metavar="TEXT", help="Who we are there.")] = "",
    secret_file: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The client's secret: a private file in the node's folder, by its path in there.",
        ),
    ] = "",
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="It asks for no proof of who we are.")
    ] = False,
    tax_id: Annotated[str, typer.Option(metavar="TEXT", help="Its VAT or other number.")] = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Enter a partner whose systems are of another make: it has no card and signs nothing.

    Entered again, it is changed. The secret stays in its file; only the file's name is kept.
    """
    from hansa.federation import directory
    from hansa.federation.grants import read_secret
    from hansa.federation.model import Grant
    from hansa.foundation.party import Party

    if no_auth == bool(token_url or client_id or secret_file):
        raise Refused(
            "partner-proof",
            "Give --token-url, --client-id and --secret-file, or say --no-auth.",
            field="token_url",
        )
    grant = None if no_auth else Grant(token_url, client_id, secret_file)
    with opened(node) as ours:
        if grant is not None:
            read_secret(ours.folder, grant.secret_file)
        with ours.begin() as tx:
            partner = directory.add_foreign(
                tx,
                party=Party(party_id(party), name, country, currency, tax_id),
                address=address,
                dialect=_dialect(dialect),
                grant=grant,
                now=ours.clock.now(),
            )
    render.facts(f"{partner.party.name} ({partner.party.id}) is a partner", _facts(partner))


@app.command(epilog='Example: hansa partner revoke mtn --why "key stolen, ticket 4711"')
def revoke(
    party: PartyName,
    why: Why,
    key: KeyName = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Trust a partner no more, or one of its keys or certificates: from the next request on.

    What is on its way to the partner waits until it is restored.
    """
    from hansa.federation import directory

    with opened(node) as ours, ours.begin() as tx:
        partner = directory.revoke(
            tx, party=party_id(party), key=key, why=why, by=who(by), now=ours.clock.now()
        )
    render.say(f"{key or partner.party.id} is revoked")


@app.command(epilog='Example: hansa partner restore mtn --why "new keys, confirmed by telephone"')
def restore(
    party: PartyName,
    why: Why,
    key: KeyName = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Take a revocation back."""
    from hansa.federation import directory

    with opened(node) as ours, ours.begin() as tx:
        partner = directory.restore(
            tx, party=party_id(party), key=key, why=why, by=who(by), now=ours.clock.now()
        )
    render.say(f"{key or partner.party.id} is trusted again")


def _facts(partner: Partner) -> dict[str, object]:
    grant = partner.grant
    return {
        "address": partner.address,
        "dialect": partner.dialect,
        "trust": partner.trust,
        "keys": [one.kid for one in partner.keys],
        "token from": grant.token_url if grant else None,
        "client": grant.client_id if grant else None,
        "secret in": grant.secret_file if grant else None,
        "joined": partner.joined_at,
        "revoked": partner.revoked_at,
    }


def _dialect(text: str) -> Dialect:
    """Raises Refused `choice-unknown`."""
    if text not in ("tmf", "sonata"):
        raise Refused(
            "choice-unknown", f"{text!r} is not known; choose tmf or sonata.", field="dialect"
        )
    return "tmf" if text == "tmf" else "sonata"


def _card(node: Node) -> Json:
    from hansa.federation import directory

    card = directory.invite(
        node.keys,
        party=node.us,
        address=node.settings.address,
        now=node.clock.now(),
        dialect=node.settings.sonata.spoken_to_us,
    )
    return render.plain(card)


def _hand_over(card: Json, out: Path | None) -> None:
    import json

    if out is None:
        render.as_json(card)
        return
    try:
        out.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise Refused(
            "file-unwritable", f"{out} cannot be written: {error.strerror}.", field="out"
        ) from None
    typer.echo(f"Our card is in {out}", err=True)


def _read(file: Path) -> Json:
    """A card's JSON. Raises Refused `file-unreadable`, `malformed`."""
    import json

    from hansa.entrypoints.yaml_files import text_of

    text = text_of(file)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", f"{file} is not JSON: {error}.", field="file") from None
