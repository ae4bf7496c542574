"""MEF's own documents as a check on what comes in, where an operator has them at hand.

The official files are OpenAPI 3.0 with inheritance by `allOf` and a discriminator, and JSON
Schema draft-07 that refers from file to file. Here both are read as JSON Schema. Where the
files contradict themselves or each other, ERRATA says what is read instead, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from hansa.federation.sonata.errors import Fault, unfit
from hansa.federation.tmf.shapes.common import read_instant
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused

APIS: Mapping[str, str] = {
    "address": "serviceability/address/geographicAddressManagement",
    "site": "serviceability/site/geographicSiteManagement",
    "qualification": "serviceability/offeringQualification/productOfferingQualificationManagement",
    "quote": "quote/quoteManagement",
    "order": "order/productOrderManagement",
    "inventory": "inventory/productInventoryManagement",
    "ticket": "troubleTicket/troubleTicketManagement",
    "catalogue": "catalog/productCatalog",
    "qualification-events": (
        "serviceability/offeringQualification/productOfferingQualificationNotification"
    ),
    "quote-events": "quote/quoteNotification",
    "order-events": "order/productOrderNotification",
    "ticket-events": "troubleTicket/troubleTicketNotification",
}
"""Our short names of the official documents below `productApi`."""

ERRATA: Mapping[str, str] = {
    "urn:mef:lso:spec:sonata:carrier-ethernet-subscriber-uni:": (
        "The samples name the UNI in `sonata:`, the schema itself in `cantata-sonata:`: both are "
        "taken to be the schema."
    ),
    "v0.2.0": "One sample names a draft; it is not taken.",
    "oneOf ipv4Prefix | ipv6Prefix": (
        "The two branches differ only in which attribute they describe, so that every prefix fits "
        "both: read as anyOf."
    ),
    "properties: (nothing)": (
        "The end point of the Access E-Line schema has the keyword `properties` without a value: "
        "read as no properties."
    ),
}
"""Known faults of release Grace, by what to look for, and how they are read."""


class Schemas:
    """The official files below one folder; each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._apis = lru_cache(maxsize=None)(self._read_api)
        self._products = lru_cache(maxsize=None)(self._read_product)

    def check_body(self, api: str, name: str, body: Json) -> None:
        """Raises Unfit when a body is not as the schema of that name says."""
        schema = {"$ref": f"#/components/schemas/{name}", **self.api(api)}
        _check(schema, body, "")

    def check_product(self, payload: Mapping[str, Any], field: str) -> None:
        """Raises Unfit when a productConfiguration is not as the schema that it names says."""
        schema = self.product(str(payload.get("@type")))
        if schema is not None:
            _check(schema, payload, field)

    def api(self, api: str) -> Mapping[str, Any]:
        """The components of one API as JSON Schema."""
        return self._apis(api)

    def product(self, urn: str) -> Mapping[str, Any] | None:
        """A product's schema with all that it refers to; None for one that is not MEF's."""
        wanted = urn.replace(":spec:sonata:carrier-ethernet-subscriber-uni:", _SUBSCRIBER_UNI)
        return self._products(wanted) if wanted in self._urns else None

    # --- inside ---------------------------------------------------------------------------------

    def document(self, api: str) -> Any:
        """One official document as it is."""
        path = self._folder / "productApi" / f"{APIS[api]}.api.yaml"
        return _load(path)

    def _read_api(self, api: str) -> Mapping[str, Any]:
        schemas: dict[str, Any] = self.document(api)["components"]["schemas"]
        return {"components": {"schemas": _with_variants(schemas)}}

    @cached_property
    def _urns(self) -> Mapping[str, Path]:
        files = sorted((self._folder / "productSchema").rglob("*.yaml"))
        found = {}
        for path in files:
            urn = _urn(path)
            if urn is not None:
                found[urn] = path
        return found

    def _read_product(self, urn: str) -> Mapping[str, Any]:
        files: dict[str, Any] = {}
        root = self._gather(self._urns[urn].resolve(), files)
        return {"$ref": f"#/files/{root}", "files": files}

    def _gather(self, path: Path, files: dict[str, Any]) -> str:
        """Takes a file and all that it refers to into `files`; its name there."""
        name = path.stem
        if name not in files:
            files[name] = None
            files[name] = self._local(_load(path), path, files)
        return name

    def _local(self, value: Any, path: Path, files: dict[str, Any]) -> Any:
        """References from file to file as references within one document."""
        if isinstance(value, list):
            return [self._local(one, path, files) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            target, _, inner = value["$ref"].partition("#")
            there = (path.parent / target).resolve() if target else path
            return {"$ref": f"#/files/{self._gather(there, files)}{inner}"}
        found = {key: self._local(one, path, files) for key, one in value.items() if key != "$id"}
        return _mended(found)


_SUBSCRIBER_UNI = ":spec:cantata-sonata:carrier-ethernet-subscriber-uni:"


def _mended(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without the faults of which ERRATA tells."""
    if "properties" in schema and schema["properties"] is None:
        del schema["properties"]
    properties = schema.get("properties")
    if isinstance(properties, dict) and {"ipv4Prefix", "ipv6Prefix"} <= properties.keys():
        schema["anyOf"] = schema.pop("oneOf", [{}])
    return schema


def _load(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as file:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            return yaml.load(file, Loader=loader)  # noqa: S506 - either of the two is safe
    except OSError:
        raise Refused(
            "settings-invalid",
            f"{path} is not there. Let `sonata.schemas` name the folder that holds MEF's "
            "productApi and productSchema.",
            field="sonata.schemas",
        ) from None


def _urn(path: Path) -> str | None:
    """The `$id` of a schema, which stands in its first lines."""
    with path.open(encoding="utf-8") as file:
        for line, _ in zip(file, range(6), strict=False):
            key, _, value = line.partition(":")
            if key.strip('"') == "$id":
                return value.strip()
    return None


# --- inheritance ------------------------------------------------------------------------------


def _with_variants(schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A reference to a type that has variants is a reference to whichever `@type` names."""
    bases = {name for name, schema in schemas.items() if _mapping(schema)}
    found = {name: _widened(schema, bases) for name, schema in schemas.items()}
    for name in bases:
        choices = [
            {
                "if": {"properties": {"@type": {"const": kind}}, "required": ["@type"]},
                "then": {"$ref": target},
            }
            for kind, target in _mapping(schemas[name]).items()
        ]
        base = {"$ref": f"#/components/schemas/{name}"}
        found[f"{name}*"] = {"allOf": [base, *choices]}
    return found


def _mapping(schema: Mapping[str, Any]) -> Mapping[str, str]:
    mapping: Mapping[str, str] = schema.get("discriminator", {}).get("mapping", {})
    return mapping


def _widened(value: Any, bases: set[str], *, inherits: bool = False) -> Any:
    if isinstance(value, list):
        return [_widened(one, bases, inherits=inherits) for one in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name in bases and not inherits:
        return {"$ref": f"{value['$ref']}*"}
    return {key: _widened(one, bases, inherits=key == "allOf") for key, one in value.items()}


# --- checking ---------------------------------------------------------------------------------


def faults(schema: Mapping[str, Any], value: Json) -> Iterator[tuple[str, str, Fault]]:
    """Where a value is not as a schema says: the path, why, and what Sonata calls it."""
    try:
        import jsonschema
    except ImportError:
        raise Refused(
            "settings-invalid",
            "Checks by MEF's own schemas need the Python package jsonschema: install it beside "
            "Hansa, or leave `sonata.schemas` out.",
            field="sonata.schemas",
        ) from None
    checker = jsonschema.FormatChecker(formats=())
    checker.checks("date-time", raises=Refused)(_is_time)
    validator = jsonschema.Draft7Validator(schema, format_checker=checker)
    for error in validator.iter_errors(value):
        path = [str(step) for step in error.absolute_path]
        if error.validator == "required":
            path.append(error.message.split("'")[1])
        yield ".".join(path), error.message[:200], _fault(str(error.validator))


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(read_instant(value, ""))


def _fault(keyword: str) -> Fault:
    if keyword == "required":
        return "missingProperty"
    return "invalidFormat" if keyword in ("type", "format", "pattern") else "invalidValue"


def _check(schema: Mapping[str, Any], value: Json, field: str) -> None:
    for path, why, fault in faults(schema, value):
        raise unfit(".".join(filter(None, [field, path])), why, fault)
