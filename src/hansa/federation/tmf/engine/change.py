"""What is sent to create or change a thing: read, merged (RFC 7386) and held to its declaration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hansa.federation.exchange import Ask
from hansa.federation.tmf.engine import attributes
from hansa.federation.tmf.engine.model import NOW, Api, Resource
from hansa.federation.tmf.shapes.common import malformed, write_instant
from hansa.federation.wire import parse
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.time import Instant

PLAIN = frozenset({"application/json"})
MERGE = frozenset({"application/json", "application/merge-patch+json"})


def body(ask: Ask, media_types: frozenset[str] = PLAIN) -> dict[str, Json]:
    """The object that was sent.

    Raises Refused: `media-type-unknown`, `malformed`, and what `wire.parse` raises.
    """
    media_type, _, rest = ask.headers.get("content-type", "").partition(";")
    charset = rest.strip().lower().replace('"', "")
    if media_type.strip().lower() not in media_types or charset not in ("", "charset=utf-8"):
        raise Refused(
            "media-type-unknown",
            f"The body is to be {' or '.join(sorted(media_types))}; say so in Content-Type.",
            field="content-type",
        )
    value = parse(ask.body)
    if not isinstance(value, dict):
        raise malformed("", "an object is expected")
    return value


def new(api: Api, resource: Resource, document: dict[str, Json], now: Instant) -> dict[str, Json]:
    """The document of a new thing: checked, stamped, without the id and href of its sender.

    Raises Refused `malformed` that names the first offending attribute.
    """
    sent = {name: value for name, value in document.items() if name not in ("id", "href")}
    _check_type(api, resource, sent)
    attributes.check(api.shapes, resource.type, _with_ends(sent))
    for path in resource.mandatory:
        where = attributes.missing(sent, path)
        if where is not None:
            raise malformed(where, "it is mandatory")
    for name, value in resource.stamps.items():
        sent.setdefault(name, write_instant(now) if value == NOW else value)
    return touched(resource, sent, now)


def changed(
    api: Api, resource: Resource, before: Mapping[str, Json], patch: Mapping[str, Json]
) -> dict[str, Json]:
    """The document after a merge-patch, checked.

    Raises Refused `malformed` for what may not change, or must not be taken away.
    """
    for name in ("id", "href", "@type", *resource.fixed):
        if name in patch and patch[name] != before.get(name):
            raise malformed(name, "it cannot be changed")
    after: dict[str, Json] = merge(before, patch)
    for path in resource.mandatory:
        where = attributes.missing(after, path)
        if where is not None:
            raise malformed(where, "it is mandatory and cannot be taken away")
    for name in resource.stamps:
        if after.get(name) is None:
            raise malformed(name, "it is mandatory and cannot be taken away")
    _check_type(api, resource, after)
    attributes.check(api.shapes, resource.type, _with_ends(after))
    return after


def touched(resource: Resource, document: dict[str, Json], now: Instant) -> dict[str, Json]:
    """The document with the attributes that tell of its last change."""
    return {**document, **dict.fromkeys(resource.touched, write_instant(now))}


def merge(value: Json, patch: Json) -> Json:
    """RFC 7386: null takes away, objects are merged, anything else takes the place."""
    if not isinstance(patch, Mapping):
        return patch
    merged: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {}
    for name, part in patch.items():
        if part is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), part)
    return merged


def tag(document: Json) -> str:
    """The entity tag of a whole document: another one when anything about it is different."""
    return f'"{hashlib.sha256(_sorted(document)).hexdigest()[:32]}"'


def _sorted(document: Json) -> bytes:
    def plain(value: Any) -> Json:
        return format(value, "f") if value != value.to_integral() else int(value)

    return json.dumps(document, sort_keys=True, default=plain).encode()


def expect(ask: Ask, document: Json) -> None:
    """Raises Refused `changed-meanwhile` when it is not as the asker saw it last (If-Match)."""
    wanted = ask.headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return
    if tag(document) not in {one.strip() for one in wanted.split(",")}:
        raise Refused(
            "changed-meanwhile",
            "It is not as it was when you last looked. Look again, and decide anew.",
            field="if-match",
        )


def _with_ends(document: Mapping[str, Json]) -> Mapping[str, Json]:
    """The document as it will be served, for tables in which id and href are mandatory."""
    return {"id": "", "href": "", **document}


def _check_type(api: Api, resource: Resource, document: Mapping[str, Json]) -> None:
    """A type of its sender's own is an extension of the resource; another resource's is not."""
    given = document.get("@type")
    base = document.get("@baseType")
    if given in api.types and given != resource.type:
        raise malformed("@type", f"{given} is another resource; {resource.type} is expected")
    if base is not None and base != resource.type and base in api.types:
        raise malformed("@baseType", f"{base} is another resource; {resource.type} is expected")


def typed(resource: Resource, document: dict[str, Json]) -> dict[str, Json]:
    """The document with `@type`, and with the `@baseType` of a type that is an extension."""
    given = document.setdefault("@type", resource.type)
    if given != resource.type:
        document.setdefault("@baseType", resource.type)
    return document
