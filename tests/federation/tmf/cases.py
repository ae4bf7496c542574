"""One entry for each resource: what is sent, what is changed, what is found by which filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.server import APIS

PARTY = {"id": "org-1", "role": "owner", "@referredType": "Organization"}
FROM = {"startDateTime": "2026-11-01T00:00:00Z"}


@dataclass(frozen=True)
class Case:
    """body: to create it. patch: a merge-patch. filters: each finds it, by what was sent."""

    body: Mapping[str, Any]
    patch: Mapping[str, Any]
    filters: Mapping[str, str]


RECORDS: Mapping[str, Case] = {
    "TMF620/catalog": Case(
        {"name": "Wholesale", "validFor": FROM, "relatedParty": [PARTY]},
        {"lifecycleStatus": "Active"},
        {"name": "Wholesale", "validFor.startDateTime": "2026-11-01T00:00:00Z"},
    ),
    "TMF620/category": Case(
        {"name": "Access", "isRoot": False, "parentId": "1"},
        {"description": "Ways in"},
        {"name": "'Access'", "isRoot": "false"},
    ),
    "TMF620/productSpecification": Case(
        {
            "name": "E-Line",
            "productSpecCharacteristic": [{"name": "speed", "valueType": "integer"}],
        },
        {"isBundle": True, "version": "2"},
        {"productSpecCharacteristic.name": "speed", "isBundle": "false"},
    ),
    "TMF620/importJob": Case({"url": "https://mtn.test/catalog"}, {}, {"status": "Not Started"}),
    "TMF620/exportJob": Case({"url": "https://mtn.test/catalog"}, {}, {"status": "Not Started"}),
    "TMF629/customer": Case(
        {"name": "Shop", "engagedParty": PARTY, "status": "Created"},
        {"status": "Active", "characteristic": [{"name": "size", "value": 3}]},
        {"engagedParty.id": "org-1", "status": '"Created"'},
    ),
    "TMF632/individual": Case(
        {
            "givenName": "Thandi",
            "familyName": "Mokoena",
            "birthDate": "1990-05-04T00:00:00+02:00",
            "contactMedium": [
                {"mediumType": "email", "characteristic": {"emailAddress": "t@mtn.test"}},
                {"mediumType": "phone", "preferred": True},
            ],
        },
        {"status": "validated", "contactMedium": None},
        {"givenName": "Thandi", "contactMedium.mediumType": "phone", "givenName.lt": "U"},
    ),
    "TMF632/organization": Case(
        {"tradingName": "MTN", "isLegalEntity": True, "creditRating": [{"ratingScore": 71}]},
        {"tradingName": "MTN Group"},
        {"creditRating.ratingScore.gt": "8", "tradingName": "BT,MTN"},
    ),
    "TMF635/usageSpecification": Case(
        {"name": "VoiceCDR", "specCharacteristic": [{"name": "seconds"}]},
        {"description": "A call"},
        {"name": "VoiceCDR"},
    ),
    "TMF651/agreementSpecification": Case(
        {"name": "Interconnect", "attachment": [{"id": "1", "name": "terms.pdf"}]},
        {"isBundle": False},
        {"attachment.name": "terms.pdf"},
    ),
    "TMF666/partyAccount": Case(
        {
            "name": "MTN's",
            "relatedParty": [{**PARTY, "name": "MTN"}],
            "creditLimit": {"unit": "GBP", "value": 100},
        },
        {"state": "Defined"},
        {"relatedParty.role": "owner", "creditLimit.value.gte": "100.00"},
    ),
    "TMF666/billingAccount": Case(
        {"name": "MTN's", "relatedParty": [{**PARTY, "name": "MTN"}]},
        {"ratingType": "Postpaid"},
        {"relatedParty.id": "org-1"},
    ),
    "TMF666/settlementAccount": Case(
        {"name": "Between us", "relatedParty": [{**PARTY, "name": "MTN"}]},
        {"description": "Net"},
        {"name": "Between us"},
    ),
    "TMF666/financialAccount": Case({"name": "Income"}, {"state": "Defined"}, {"name": "Income"}),
    "TMF666/billingCycleSpecification": Case(
        {"name": "Monthly", "billingDateShift": 3}, {"billingDateShift": 4}, {"name": "Monthly"}
    ),
    "TMF666/billFormat": Case({"name": "PDF"}, {"description": "Paper"}, {"name": "PDF"}),
    "TMF666/billPresentationMedia": Case({"name": "Post"}, {"description": "-"}, {"name": "Post"}),
    "TMF668/partnershipSpecification": Case(
        {"name": "Alliance"}, {"description": "Many"}, {"name": "Alliance"}
    ),
    "TMF668/partnership": Case(
        {
            "name": "BT and MTN",
            "specification": {"id": "1", "name": "Alliance", "href": "https://mtn.test/1"},
        },
        {"description": "Two"},
        {"specification.name": "Alliance"},
    ),
    "TMF669/partyRole": Case(
        {"name": "Reseller", "engagedParty": PARTY}, {"status": "Active"}, {"name": "Reseller"}
    ),
    "TMF673/geographicAddressValidation": Case(
        {
            "provideAlternative": True,
            "submittedGeographicAddress": {
                "country": "za",
                "city": " Johannesburg ",
                "streetName": "Rivonia  Road",
                "streetNr": "1",
                "postcode": "2196",
                "geographicSubAddress": [{"levelType": "floor", "levelNumber": "3"}],
            },
        },
        {"provideAlternative": False},
        {"validationResult": "success", "validGeographicAddress.country": "ZA"},
    ),
    "TMF674/geographicSite": Case(
        {"name": "Sandton", "place": [{"id": "1", "@type": "GeographicAddress"}]},
        {"status": "active"},
        {"name": "Sandton"},
    ),
}

ITEM = {"id": "1", "action": "add", "productOffering": {"id": "line"}}

ROOMS: Mapping[str, Mapping[str, Any]] = {
    "TMF621/troubleTicket": {
        "description": "No light",
        "severity": "major",
        "ticketType": "incident",
    },
    "TMF622/productOrder": {"productOrderItem": [ITEM], "relatedParty": [PARTY]},
    "TMF622/cancelProductOrder": {"productOrder": {"id": "ord_0"}},
    "TMF645/checkServiceQualification": {
        "serviceQualificationItem": [{"id": "1", "service": {"serviceType": "line"}}]
    },
    "TMF645/queryServiceQualification": {"searchCriteria": {"service": {"serviceType": "line"}}},
    "TMF648/quote": {"quoteItem": [ITEM], "relatedParty": [PARTY]},
    "TMF651/agreement": {
        "name": "BT sells to MTN",
        "agreementType": "wholesale",
        "agreementItem": [{"productOffering": [{"id": "line"}]}],
        "engagedParty": [{**PARTY, "name": "MTN"}],
    },
    "TMF678/customerBillOnDemand": {"name": "November"},
    "TMF679/productOfferingQualification": {
        "productOfferingQualificationItem": [{"id": "1", "productOffering": {"id": "line"}}]
    },
}
"""Bodies of what goes to a room, sound as far as the standard goes."""


def declared() -> Mapping[str, tuple[Api, Resource]]:
    return {f"{api.name}/{one.path}": (api, one) for api in APIS for one in api.resources}
