"""An order to our bank as ISO 20022 pain.001.001.09 (customer credit transfer initiation)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC
from xml.etree import ElementTree as ET

from hansa.foundation.ids import BankAccountId
from hansa.foundation.money import add_up
from hansa.foundation.party import Party
from hansa.lifecycle.clearing.model import BankAccount, Payment, PaymentOrder, Remitted

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
STATEMENT = "SOAC"
CODES = {"invoice": "CINV", "credit-note": "CREN"}
"""ExternalDocumentType1Code: a statement of account, here a round; a commercial invoice and a
credit note.
"""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
"""What every bank takes in a name (the EPC's Latin character set)."""


def write(
    order: PaymentOrder, *, us: Party, accounts: Mapping[BankAccountId, BankAccount]
) -> bytes:
    """The file, in UTF-8; the same octets for the same order. accounts: those that it names.

    EndToEndId is the settlement's id. Each invoice and credit note that was netted is named with
    as much of it as this payment is for: what is paid of theirs, and what was set off of ours.
    """
    root = ET.Element("Document", {"xmlns": NAMESPACE})
    top = ET.SubElement(root, "CstmrCdtTrfInitn")
    count = str(len(order.payments))
    total = f"{add_up((one.amount for one in order.payments), order.currency).amount:f}"
    head = ET.SubElement(top, "GrpHdr")
    _add(head, "MsgId", _short(order.id))
    _add(head, "CreDtTm", f"{order.ordered_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    _add(head, "NbOfTxs", count)
    _add(head, "CtrlSum", total)
    _add(head, "InitgPty/Nm", plain(us.name))
    info = ET.SubElement(top, "PmtInf")
    _add(info, "PmtInfId", _short(order.id))
    _add(info, "PmtMtd", "TRF")
    _add(info, "NbOfTxs", count)
    _add(info, "CtrlSum", total)
    _add(info, "ReqdExctnDt/Dt", order.on.isoformat())
    ours = accounts[order.account]
    _add(info, "Dbtr/Nm", plain(ours.holder))
    _account(info, "DbtrAcct", ours)
    _add(info, "DbtrAgt/FinInstnId/BICFI", ours.bic)
    for payment in order.payments:
        assert payment.account is not None
        _transfer(info, payment, accounts[payment.account])
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _transfer(info: ET.Element, payment: Payment, account: BankAccount) -> None:
    transfer = ET.SubElement(info, "CdtTrfTxInf")
    _add(transfer, "PmtId/EndToEndId", payment.settlement)
    amount = _add(transfer, "Amt/InstdAmt", f"{payment.amount.amount:f}")
    amount.set("Ccy", payment.amount.currency)
    _add(transfer, "CdtrAgt/FinInstnId/BICFI", account.bic)
    _add(transfer, "Cdtr/Nm", plain(account.holder))
    _account(transfer, "CdtrAcct", account)
    remittance = ET.SubElement(transfer, "RmtInf")
    if payment.source.startswith("round/"):
        document = ET.SubElement(ET.SubElement(remittance, "Strd"), "RfrdDocInf")
        _add(document, "Tp/CdOrPrtry/Cd", STATEMENT)
        _add(document, "Nb", _short(payment.source.split("/")[1]))
    for one in payment.remitted:
        _invoice(remittance, one)


def _invoice(remittance: ET.Element, remitted: Remitted) -> None:
    structured = ET.SubElement(remittance, "Strd")
    document = ET.SubElement(structured, "RfrdDocInf")
    _add(document, "Tp/CdOrPrtry/Cd", CODES[remitted.kind_of])
    _add(document, "Nb", remitted.number[:35])
    name = "CdtNoteAmt" if remitted.set_off else "RmtdAmt"
    amount = _add(structured, f"RfrdDocAmt/{name}", f"{remitted.amount.amount:f}")
    amount.set("Ccy", remitted.amount.currency)
    if remitted.set_off:
        words = {"invoice": "Our invoice, set off", "credit-note": "Your credit note"}
        _add(structured, "AddtlRmtInf", words[remitted.kind_of])


def _account(parent: ET.Element, name: str, account: BankAccount) -> None:
    at = "IBAN" if account.is_iban else "Othr/Id"
    _add(parent, f"{name}/Id/{at}", account.number)


def plain(name: str) -> str:
    """A name in the letters that every bank takes; accents are left out, the rest is a dot."""
    bare = unicodedata.normalize("NFKD", name)
    letters = (one for one in bare if not unicodedata.combining(one))
    return "".join(one if one in _PLAIN else "." for one in letters)[:70]


def _short(id: str) -> str:
    """An id of ours in the 35 characters that messages have room for."""
    return id.replace("_", "")[:35]


def _add(parent: ET.Element, path: str, text: str) -> ET.Element:
    for step in path.split("/"):
        parent = ET.SubElement(parent, step)
    parent.text = text
    return parent
