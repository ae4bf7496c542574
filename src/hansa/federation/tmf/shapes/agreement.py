"""TMF651 Agreement v4.0: the text that all sign, and what happens to it.

A draft is posted as an Agreement; a signature comes as AgreementAttributeValueChangeEvent, a
move as AgreementStateChangeEvent. The text is read back to the letter, for its fingerprint
is what the signatures are over.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    AgreementAct,
    AgreementDocument,
    AgreementDrafted,
    AgreementItem,
    AgreementMoved,
    AgreementParty,
    AgreementSigned,
    NettingTerms,
    RevenueShare,
    Signature,
    Waterfall,
)
from hansa.federation.shelf import ShelfAgreement
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    MoneyShape,
    Ref,
    Text,
    TimePeriod,
    Whole,
    checked,
    href,
    malformed,
    read_document,
    read_instant,
    read_money,
    write_instant,
    write_money,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.ids import AgreementId, OfferCode
from hansa.foundation.party import party_id

BASE = "/tmf-api/agreementManagement/v4"
AGREEMENTS = f"{BASE}/agreement"
SIGNED = f"{BASE}/listener/agreementAttributeValueChangeEvent"
MOVED = f"{BASE}/listener/agreementStateChangeEvent"

TYPE = "alliance"

STATUS: dict[AgreementAct, str] = {
    "launch": "live",
    "suspend": "suspended",
    "resume": "live",
    "run-off": "runOff",
    "end": "ended",
}
"""What an agreement is after an act; the act itself travels too."""

EngagedParty = TypedDict(
    "EngagedParty",
    {
        "id": Id,
        "name": Text,
        "role": Literal["lead", "partner", "member", "signatory"],
        "@referredType": Text,
    },
)


class ItemShape(Extended):
    """Who sells what to whom, where, and by which price list."""

    productOffering: list[Ref]
    hansaSeller: Id
    hansaBuyer: Id
    hansaCountry: list[Text]
    hansaPriceList: Text
    hansaCurrency: Text
    hansaCreditLimit: NotRequired[MoneyShape]


class ShareShape(TypedDict):
    """Who gets which part of whose revenue; shareBasisPoints: hundredths of a percent."""

    operator: Id
    beneficiary: Id
    shareBasisPoints: Whole
    productOffering: list[Ref]
    currency: Text
    fxSource: Text
    waterfall: NotRequired[Any]


class AgreementShape(Extended):
    """Agreement: a draft, complete."""

    id: Id
    href: NotRequired[Text]
    version: Text
    name: Text
    agreementType: NotRequired[Text]
    status: NotRequired[Text]
    engagedParty: list[EngagedParty]
    agreementPeriod: TimePeriod
    agreementItem: list[ItemShape]
    hansaShare: list[ShareShape]
    hansaGate: list[Text]
    hansaNetting: NotRequired[Any]


class Authorization(Extended):
    """A signature: by whom, when, and its base64 text."""

    date: Text
    signatureRepresentation: Text
    state: NotRequired[Text]
    hansaParty: Id


class BareItem(TypedDict):
    """Stands for the items, which an event does not repeat."""

    productOffering: list[Ref]


class ChangedShape(Extended):
    """Agreement as an event names it: which version, who signed, what happened."""

    id: Id
    href: NotRequired[Text]
    version: Text
    name: NotRequired[Text]
    agreementType: NotRequired[Text]
    status: NotRequired[Text]
    engagedParty: NotRequired[list[EngagedParty]]
    agreementItem: NotRequired[list[BareItem]]
    agreementAuthorization: list[Authorization]
    hansaFingerprint: NotRequired[Text]
    hansaAct: NotRequired[AgreementAct]
    hansaCountry: NotRequired[Text]
    hansaEvidence: NotRequired[dict[Text, Text]]


class ChangedPayload(TypedDict):
    """The agreement that has changed."""

    agreement: ChangedShape


class ChangedEvent(TypedDict):
    """AgreementAttributeValueChangeEvent or AgreementStateChangeEvent."""

    eventId: NotRequired[Text]
    eventType: NotRequired[Text]
    event: ChangedPayload


def write(notice: AgreementDrafted) -> AgreementShape:
    document = notice.document
    period: TimePeriod = {"startDateTime": write_instant(document.valid_from)}
    if document.valid_to is not None:
        period["endDateTime"] = write_instant(document.valid_to)
    shape: AgreementShape = {
        "id": document.id,
        "href": href(AGREEMENTS, document.id),
        "version": str(document.version),
        "name": document.name,
        "agreementType": TYPE,
        "status": "draft",
        "engagedParty": [
            {
                "id": one.party,
                "name": one.party,
                "role": one.role,
                "@referredType": "Organization",
            }
            for one in document.parties
        ],
        "agreementPeriod": period,
        "agreementItem": [_write_item(item) for item in document.items],
        "hansaShare": [_write_share(share) for share in document.shares],
        "hansaGate": list(document.gates),
        "@type": "HansaAgreement",
        "@baseType": "Agreement",
        "@schemaLocation": SCHEMA,
    }
    if document.netting is not None:
        shape["hansaNetting"] = documents.write(document.netting)
    return shape


def write_kept(kept: ShelfAgreement) -> dict[str, Any]:
    """An agreement as it stands: its text, who has signed it, and what it is by now."""
    shape: dict[str, Any] = {**write(AgreementDrafted(kept.document))}
    shape["status"] = "runOff" if kept.state == "run-off" else kept.state
    shape["hansaFingerprint"] = kept.fingerprint
    shape["hansaLaunched"] = list(kept.launched)
    if kept.signatures:
        shape["agreementAuthorization"] = [_write_signature(one) for one in kept.signatures]
        shape["initialDate"] = write_instant(min(one.at for one in kept.signatures))
    if kept.in_force_from is not None and kept.in_force_to is not None:
        shape["completionDate"] = {
            "startDateTime": write_instant(kept.in_force_from),
            "endDateTime": write_instant(kept.in_force_to),
        }
    return shape


def _write_signature(signature: Signature) -> Authorization:
    return {
        "date": write_instant(signature.at),
        "signatureRepresentation": signature.value,
        "state": "approved",
        "hansaParty": signature.party,
        "@type": "HansaAgreementAuthorization",
        "@baseType": "AgreementAuthorization",
        "@schemaLocation": SCHEMA,
    }


def _write_item(item: AgreementItem) -> ItemShape:
    shape: ItemShape = {
        "productOffering": [{"id": offer} for offer in item.offers],
        "hansaSeller": item.seller,
        "hansaBuyer": item.buyer,
        "hansaCountry": list(item.countries),
        "hansaPriceList": item.price_list,
        "hansaCurrency": item.currency,
        "@type": "HansaAgreementItem",
        "@baseType": "AgreementItem",
        "@schemaLocation": SCHEMA,
    }
    if item.credit_limit is not None:
        shape["hansaCreditLimit"] = write_money(item.credit_limit)
    return shape


def _write_share(share: RevenueShare) -> ShareShape:
    shape: ShareShape = {
        "operator": share.operator,
        "beneficiary": share.beneficiary,
        "shareBasisPoints": share.share_bp,
        "productOffering": [{"id": offer} for offer in share.offers],
        "currency": share.currency,
        "fxSource": share.fx_source,
    }
    if share.waterfall is not None:
        shape["waterfall"] = documents.write(share.waterfall, Waterfall)
    return shape


def read(value: Json) -> AgreementDrafted:
    shape = checked(AgreementShape, value)
    period = shape["agreementPeriod"]
    end = period.get("endDateTime")
    return AgreementDrafted(
        AgreementDocument(
            id=AgreementId(shape["id"]),
            version=_version(shape["version"], "version"),
            name=shape["name"],
            parties=tuple(_read_party(one) for one in shape["engagedParty"]),
            valid_from=read_instant(
                period.get("startDateTime", ""), "agreementPeriod.startDateTime"
            ),
            valid_to=None if end is None else read_instant(end, "agreementPeriod.endDateTime"),
            items=tuple(
                _read_item(item, f"agreementItem.{index}")
                for index, item in enumerate(shape["agreementItem"])
            ),
            shares=tuple(
                _read_share(share, f"hansaShare.{index}")
                for index, share in enumerate(shape["hansaShare"])
            ),
            gates=tuple(shape["hansaGate"]),
            netting=read_document(NettingTerms, shape["hansaNetting"], "hansaNetting")
            if "hansaNetting" in shape
            else None,
        )
    )


def _version(text: str, field: str) -> int:
    """A version as it was written: digits without zeros before them."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and str(int(text)) == text):
        raise malformed(field, "a whole number is expected")
    return int(text)


def _read_party(shape: EngagedParty) -> AgreementParty:
    if shape["role"] == "signatory":
        raise malformed("engagedParty", "the roles of a draft are lead, partner and member")
    return AgreementParty(party=party_id(shape["id"]), role=shape["role"])


def _read_item(shape: ItemShape, field: str) -> AgreementItem:
    limit = shape.get("hansaCreditLimit")
    return AgreementItem(
        seller=party_id(shape["hansaSeller"]),
        buyer=party_id(shape["hansaBuyer"]),
        offers=tuple(OfferCode(ref["id"]) for ref in shape["productOffering"]),
        countries=tuple(shape["hansaCountry"]),
        price_list=shape["hansaPriceList"],
        currency=shape["hansaCurrency"],
        credit_limit=None if limit is None else read_money(limit, f"{field}.hansaCreditLimit"),
    )


def _read_share(shape: ShareShape, field: str) -> RevenueShare:
    return RevenueShare(
        operator=party_id(shape["operator"]),
        beneficiary=party_id(shape["beneficiary"]),
        share_bp=shape["shareBasisPoints"],
        offers=tuple(OfferCode(ref["id"]) for ref in shape["productOffering"]),
        currency=shape["currency"],
        fx_source=shape["fxSource"],
        waterfall=read_document(Waterfall, shape["waterfall"], f"{field}.waterfall")
        if "waterfall" in shape
        else None,
    )


def _changed(ref: AgreementRef, signature: Signature) -> ChangedShape:
    """What both events say: the version, the signature, and what the standard wants beside."""
    return {
        "id": ref.id,
        "href": href(AGREEMENTS, ref.id),
        "version": str(ref.version),
        "name": ref.id,
        "agreementType": TYPE,
        "engagedParty": [
            {
                "id": signature.party,
                "name": signature.party,
                "role": "signatory",
                "@referredType": "Organization",
            }
        ],
        "agreementItem": [{"productOffering": []}],
        "agreementAuthorization": [_write_signature(signature)],
        "@type": "HansaAgreement",
        "@baseType": "Agreement",
        "@schemaLocation": SCHEMA,
    }


def write_signed(notice: AgreementSigned, event_id: str) -> ChangedEvent:
    shape = _changed(notice.agreement, notice.signature)
    shape["hansaFingerprint"] = notice.fingerprint
    return {
        "eventId": event_id,
        "eventType": "AgreementAttributeValueChangeEvent",
        "event": {"agreement": shape},
    }


def write_moved(notice: AgreementMoved, event_id: str) -> ChangedEvent:
    shape = _changed(notice.agreement, notice.signature)
    shape["status"] = STATUS[notice.act]
    shape["hansaAct"] = notice.act
    shape["hansaCountry"] = notice.country
    shape["hansaEvidence"] = dict(notice.evidence)
    return {
        "eventId": event_id,
        "eventType": "AgreementStateChangeEvent",
        "event": {"agreement": shape},
    }


def read_signed(value: Json) -> AgreementSigned:
    shape = checked(ChangedEvent, value)["event"]["agreement"]
    if "hansaFingerprint" not in shape:
        raise malformed("event.agreement.hansaFingerprint", "the signed fingerprint is expected")
    return AgreementSigned(
        agreement=_ref(shape),
        fingerprint=shape["hansaFingerprint"],
        signature=_signature(shape),
    )


def read_moved(value: Json) -> AgreementMoved:
    shape = checked(ChangedEvent, value)["event"]["agreement"]
    if "hansaAct" not in shape:
        raise malformed("event.agreement.hansaAct", "what was done is expected")
    return AgreementMoved(
        agreement=_ref(shape),
        act=shape["hansaAct"],
        country=shape.get("hansaCountry", ""),
        evidence=shape.get("hansaEvidence", {}),
        signature=_signature(shape),
    )


def _ref(shape: ChangedShape) -> AgreementRef:
    return AgreementRef(
        AgreementId(shape["id"]), _version(shape["version"], "event.agreement.version")
    )


def _signature(shape: ChangedShape) -> Signature:
    signed = shape["agreementAuthorization"]
    field = "event.agreement.agreementAuthorization"
    if len(signed) != 1:
        raise malformed(field, "one signature is expected")
    return Signature(
        party=party_id(signed[0]["hansaParty"]),
        value=signed[0]["signatureRepresentation"],
        at=read_instant(signed[0]["date"], f"{field}.0.date"),
    )
