"""TMF673: addresses that were found to be sound, and the validations that found it.

A validation looks at what an address says of itself: its country by ISO 3166-1, its town, street
and number. Nobody is asked whether there is such a house.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hansa.federation.records import actions as records
from hansa.federation.records.model import Condition
from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Found, Query, Resource, Source, Visit
from hansa.federation.tmf.engine.query import select
from hansa.federation.tmf.resources.tables import common, tmf673
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import RecordId
from hansa.foundation.transaction import Transaction

ADDRESSES = "TMF673/geographicAddress"

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""

COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2."""

NEEDED = ("country", "city")
"""Without these it is no address."""

WANTED = (*NEEDED, "streetName", "streetNr", "postcode")
"""With all of these it is a whole one."""

TEXTS = (*WANTED, "locality", "stateOrProvince", "streetType", "streetSuffix", "name")

SAME = ("country", "city", "streetName", "streetNr", "postcode")

# --- validation -------------------------------------------------------------------------------


def tidy(address: Mapping[str, Json]) -> dict[str, Json]:
    """The address as it is usually written: no idle spaces, the country's code in capitals."""
    kept = {name: value for name, value in address.items() if name not in ("id", "href")}
    for name in TEXTS:
        if isinstance(kept.get(name), str):
            kept[name] = " ".join(kept[name].split())
    country = kept.get("country")
    if isinstance(country, str) and country.upper() in COUNTRIES:
        kept["country"] = country.upper()
    return kept


def judge(address: Mapping[str, Json]) -> str:
    """success: whole; partial: an address, with parts missing or unknown; fails: none at all."""
    country = address.get("country", "")
    if not all(address.get(name) for name in NEEDED):
        return "fails"
    if len(country) == 2 and country not in COUNTRIES:
        return "fails"
    whole = all(address.get(name) for name in WANTED) and country in COUNTRIES
    return "success" if whole else "partial"


def _validate(tx: Transaction, visit: Visit, document: dict[str, Json]) -> dict[str, Json]:
    address = tidy(document["submittedGeographicAddress"])
    result = judge(address)
    found: dict[str, Json] = {"validationResult": result, "alternateGeographicAddress": []}
    if result != "fails":
        known = _known(tx, visit, address)
        found["validGeographicAddress"] = known
        if document["provideAlternative"]:
            found["alternateGeographicAddress"] = [known]
    return {**document, **found}


def _known(tx: Transaction, visit: Visit, address: dict[str, Json]) -> Json:
    """The address as the caller has it here: kept before, or kept now."""
    owner = visit.actor.party
    page = records.find(
        tx,
        resource=ADDRESSES,
        owner=owner,
        conditions=[
            Condition((name,), "eq", (address[name],)) for name in SAME if address.get(name)
        ],
    )
    for record in page.records:
        there = {name: record.document[name] for name in record.document if name in address}
        if _bare(there) == _bare(address):
            return record.document
    identity = visit.world.ids.new(RecordId)
    href = f"{visit.world.address}{API.base}/geographicAddress/{identity}"
    document = {"id": identity, "href": href, "@type": "GeographicAddress", **address}
    if "geographicSubAddress" in address:
        document["geographicSubAddress"] = [
            _part(visit, one, href) for one in address["geographicSubAddress"]
        ]
    records.keep(
        tx, record_id=identity, resource=ADDRESSES, owner=owner, document=document, now=visit.now
    )
    return document


def _bare(address: Mapping[str, Json]) -> Json:
    """The address without what we ourselves say about its parts."""
    return {
        name: [{k: v for k, v in one.items() if k not in ("id", "href")} for one in value]
        if name == "geographicSubAddress"
        else value
        for name, value in address.items()
    }


def _part(visit: Visit, part: dict[str, Json], href: str) -> dict[str, Json]:
    identity = visit.world.ids.new(RecordId)
    return {**part, "id": identity, "href": f"{href}/geographicSubAddress/{identity}"}


# --- parts of an address ----------------------------------------------------------------------


def _parts(visit: Visit) -> Sequence[dict[str, Any]]:
    with visit.begin() as tx:
        address = records.get(
            tx,
            resource=ADDRESSES,
            record_id=visit.ask.params["geographicAddressId"],
            owner=None if visit.actor.role == "operator" else visit.actor.party,
        )
    parts: Sequence[dict[str, Any]] = address.document.get("geographicSubAddress", [])
    return parts


def _find_parts(visit: Visit, query: Query) -> Found:
    return select(_parts(visit), query)


def _part_of(visit: Visit, identity: str) -> Json:
    for part in _parts(visit):
        if part["id"] == identity:
            return part
    raise NotFound(
        "record-unknown", "There is no such geographicSubAddress, or it is not yours.", field="id"
    )


API = Api(
    number=673,
    title="Geographic Address Management",
    base="/tmf-api/geographicAddressManagement/v4",
    attributes=(common.TABLE, tmf673.TABLE),
    resources=(
        Resource(
            path="geographicAddressValidation",
            type="GeographicAddressValidation",
            source=kept(fill=_validate, without=("delete",)),
            mandatory=("submittedGeographicAddress", "provideAlternative"),
            stamps={"state": "done", "validationDate": NOW},
            fixed=(
                "submittedGeographicAddress",
                "validGeographicAddress",
                "alternateGeographicAddress",
                "validationResult",
                "validationDate",
                "state",
            ),
            events=("StateChange",),
        ),
        Resource(
            path="geographicAddress",
            type="GeographicAddress",
            source=kept(without=("create", "change", "delete")),
            events=(),
        ),
        Resource(
            path="geographicAddress/{geographicAddressId}/geographicSubAddress",
            type="GeographicSubAddress",
            source=Source(find=_find_parts, get=_part_of),
            events=(),
        ),
    ),
)
