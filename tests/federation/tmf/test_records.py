"""Every resource lives as its standard says: made, found, changed, taken away, and told of."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.wire import parse
from tests.federation import swagger
from tests.federation.tmf.cases import RECORDS, Case, declared
from tests.federation.tmf.door import ADDRESS, Door

DECLARED = declared()


def one(name: str) -> tuple[Api, Resource, Case]:
    return *DECLARED[name], RECORDS[name]


def sound(api: Api, response: httpx2.Response, status: int) -> Any:
    """What was answered, held against the official document."""
    assert response.status_code == status, response.text
    if status == 204:
        return None
    value = parse(response.content)
    path = response.request.url.path
    official = swagger.operation(api.number, response.request.method, path)
    assert official is not None, f"{response.request.method} {path} is not in the standard"
    told = official["responses"]["200" if status == 206 else str(status)]
    assert list(swagger.faults(api.number, told["schema"], value)) == []
    return value


def stored(api: Api, resource: Resource, document: dict[str, Any]) -> None:
    """A whole document has all that it must have."""
    wanted = {"id", "href", "@type", *resource.stamps, *resource.touched}
    wanted |= {path.split(".")[0] for path in resource.mandatory}
    wanted |= {name for name, one in api.shapes[resource.type].attributes.items() if one.mandatory}
    assert wanted - document.keys() == set()


def test_every_declared_record_has_its_case() -> None:
    made = {name for name, (_, one) in DECLARED.items() if one.source.create is not None}
    assert RECORDS.keys() <= made


@pytest.mark.parametrize("name", RECORDS)
def test_a_thing_lives_as_its_standard_says(name: str, door: Door) -> None:
    api, resource, case = one(name)
    path = f"{api.base}/{resource.path}"
    made = sound(api, door.ask("POST", path, json.dumps(case.body).encode()), 201)
    stored(api, resource, made)
    here = f"{path}/{made['id']}"
    assert made["href"] == f"{ADDRESS}{here}"
    assert {name: made[name] for name in case.body} == case.body

    assert sound(api, door.ask("GET", here), 200) == made
    assert made in sound(api, door.ask("GET", path), 200)
    for filter_, value in case.filters.items():
        found = door.get(path, params={filter_: value}, headers={"x-caller": "mtn/partner"})
        assert made in sound(api, found, 200), filter_
    brief = door.ask("GET", f"{here}?fields=lastUpdate,{next(iter(case.body))}")
    wanted = {"id", "href", "@type", next(iter(case.body)), "lastUpdate"}
    assert sound_less(brief).keys() == wanted & made.keys()

    served = resource.source
    if served.patch is None and served.change is None:
        assert door.ask("PATCH", here, b"{}").status_code == 405
    else:
        body = json.dumps(case.patch).encode()
        kind = "application/merge-patch+json"
        after = sound(api, door.ask("PATCH", here, body, media_type=kind), 200)
        stored(api, resource, after)
        for attribute, value in case.patch.items():
            assert after.get(attribute) == value
        assert sound(api, door.ask("GET", here), 200) == after
    if served.delete is None:
        assert door.ask("DELETE", here).status_code == 405
    else:
        sound(api, door.ask("DELETE", here), 204)
        sound(api, door.ask("GET", here), 404)
        sound(api, door.ask("DELETE", here), 404)


def test_two_who_change_one_thing_do_not_undo_each_other(door: Door) -> None:
    path = "/tmf-api/party/v4/organization"
    body = b'{"tradingName": "MTN", "x": 1.50, "y": 1E+3}'
    made = door.ask("POST", path, body)
    here, seen = f"{path}/{made.json()['id']}", made.headers["etag"]
    assert door.ask("GET", f"{here}?fields=x").headers["etag"] == seen

    def patch(name: str, tag: str) -> httpx2.Response:
        sent = json.dumps({"name": name}).encode()
        headers = {
            "x-caller": "mtn/partner",
            "content-type": "application/json",
            "if-match": tag,
        }
        return door.patch(here, content=sent, headers=headers)

    first = patch("first", seen)
    assert first.status_code == 200
    second = patch("second", seen)
    assert (second.status_code, second.json()["code"]) == (412, "changed-meanwhile")
    assert patch("second", f'"other", {first.headers["etag"]}').status_code == 200
    assert patch("third", "*").status_code == 200
    gone = {"x-caller": "mtn/partner", "if-match": seen}
    assert door.delete(here, headers=gone).status_code == 412
    now = door.ask("GET", here).headers["etag"]
    assert door.delete(here, headers={**gone, "if-match": now}).status_code == 204


def sound_less(response: httpx2.Response) -> Any:
    assert response.status_code == 200
    return parse(response.content)


@pytest.mark.parametrize("name", RECORDS)
def test_nobody_else_finds_it(name: str, door: Door) -> None:
    api, resource, case = one(name)
    path = f"{api.base}/{resource.path}"
    made = sound(api, door.ask("POST", path, json.dumps(case.body).encode()), 201)
    here = f"{path}/{made['id']}"
    unknown = door.ask("GET", f"{path}/rec_0", by="eve/partner")
    for method in ("GET", "PATCH", "DELETE"):
        answer = door.ask(method, here, b"{}" if method == "PATCH" else None, by="eve/partner")
        if answer.status_code != 405:
            assert (answer.status_code, answer.content) == (404, unknown.content)
    assert door.ask("GET", path, by="eve/partner").json() == []
    assert door.ask("GET", f"{path}?id={made['id']}", by="eve/partner").json() == []
    assert door.ask("GET", f"{path}?id={made['id']}", by="bt/operator").json() == [made]


def test_addresses_that_are_sound_are_kept_with_their_parts(door: Door) -> None:
    api, resource, case = one("TMF673/geographicAddressValidation")
    path = f"{api.base}/{resource.path}"
    body = json.dumps(case.body).encode()
    first, again = (sound(api, door.ask("POST", path, body), 201) for _ in range(2))
    address = first["validGeographicAddress"]
    assert again["validGeographicAddress"] == address
    assert (address["country"], address["city"]) == ("ZA", "Johannesburg")
    assert address["streetName"] == "Rivonia Road"
    here = address["href"].removeprefix(ADDRESS)
    assert sound(api, door.ask("GET", here), 200) == address
    (part,) = sound(api, door.ask("GET", f"{here}/geographicSubAddress"), 200)
    assert part["levelNumber"] == "3"
    assert sound(api, door.ask("GET", part["href"].removeprefix(ADDRESS)), 200) == part
    assert door.ask("GET", f"{here}/geographicSubAddress/rec_0").status_code == 404
    assert door.ask("GET", f"{here}/geographicSubAddress", by="eve/partner").status_code == 404
    assert door.ask("POST", here.rsplit("/", 1)[0], body).status_code == 405


@pytest.mark.parametrize(
    ("address", "result"),
    [
        ({"country": "GB", "city": "London"}, "partial"),
        ({"country": "South Africa", "city": "Durban"}, "partial"),
        ({"country": "XX", "city": "Nowhere"}, "fails"),
        ({"city": "Nowhere"}, "fails"),
        ({"country": "GB", "city": "  "}, "fails"),
    ],
)
def test_an_address_is_judged(address: dict[str, str], result: str, door: Door) -> None:
    api, resource, _ = one("TMF673/geographicAddressValidation")
    body = {"submittedGeographicAddress": address, "provideAlternative": False}
    made = sound(
        api, door.ask("POST", f"{api.base}/{resource.path}", json.dumps(body).encode()), 201
    )
    assert made["validationResult"] == result
    assert ("validGeographicAddress" in made) == (result != "fails")
