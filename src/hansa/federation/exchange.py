"""One request and its answer, whatever the dialect: the server side of the wire.

A dialect is a list of operations, each a plain function from what is asked to what is answered.
Around every one of them stands the gate: it finds out who asks before the operation runs, and
seals what is answered. Only the body is read on the event loop (`hansa.federation.intake`); all
else of a request runs in one turn on a thread of its own.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread

from hansa.federation import intake
from hansa.federation.intake import Head, TooLong
from hansa.federation.limits import Limits, Measure
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.party import Actor

log = logging.getLogger(__name__)

BODY_MAX = 1 << 20
STEP_MAX = 200
THREADS = 24
"""Requests of one process that are worked on at the same time; the rest wait their turn."""

BY_FAMILY: Mapping[str, int] = {"refused": 422, "not-found": 404, "try-later": 503}

BY_CODE: Mapping[str, int] = {
    "malformed": 400,
    "body-too-deep": 400,
    "period-invalid": 400,
    "trail-too-long": 400,
    "signature-missing": 401,
    "signature-refused": 401,
    "token-refused": 401,
    "method-unknown": 405,
    "key-reused": 409,
    "state-move": 409,
    "body-too-large": 413,
    "scope-missing": 403,
    "media-type-unknown": 415,
    "changed-meanwhile": 412,
    "too-many-requests": 429,
    "headers-too-large": 431,
}
"""Reasons for which HTTP has a nearer word than their family's."""

LATER = frozenset({BY_FAMILY["try-later"], 401, 429})
"""What a buyer asks again: keys and clocks are for people to mend, and a crowd goes by."""


def status_of(error: HansaError) -> int:
    """The HTTP status that tells of this error."""
    return BY_CODE.get(error.code, BY_FAMILY[error.family])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the gate has found out.

    scopes: what the caller may do, None for all that its role may. client: by which key or
    registered client it has proved it, for the log. proof: what the gate keeps between
    `admit` and `seal`.
    """

    actor: Actor
    scopes: frozenset[str] | None = None
    client: str = ""
    proof: Any = None


@dataclass(frozen=True, kw_only=True)
class Ask(Head):
    """One request, read but not yet looked into.

    params: what the template's braces stand for. query: in the order given.
    """

    operation: Operation
    params: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: bytes

    @cached_property
    def first(self) -> Mapping[str, str]:
        """The query's parameters by name; of a repeated one the first."""
        return dict(reversed(self.query))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. body: octets, or pieces of them as they come to be (a stream)."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Handler = Callable[[Ask, Caller], Answer]


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked for.

    template: its path, with `{name}` for each step that varies. api: the standard's number,
    e.g. TMF622. scope: what a caller needs if its scopes are counted, "" for nothing.
    body_max: in octets. gated: False for what anyone may ask. document: what an OpenAPI
    document says of it beyond its path (parameters, requestBody, responses).
    """

    method: str
    template: str
    handle: Handler
    api: str
    summary: str
    scope: str = ""
    body_max: int = BODY_MAX
    gated: bool = True
    document: Mapping[str, Any] = field(default_factory=dict)


class Gate(Protocol):
    """Who may come in, and what leaves the house. Both may ask the database."""

    def admit(self, ask: Ask) -> Caller:
        """Who asks. Raises Refused `token-refused` and others when nobody is proved."""
        ...

    def recognise(self, head: Head) -> Caller | None:
        """Who has sent a request that is turned away before it is read, where this is proved of
        its head; None where it is not, or needs no proof. Of its body nothing is known.
        """
        ...

    def seal(self, head: Head, caller: Caller | None, answer: Answer) -> Answer:
        """The answer as it leaves; caller: None where nobody was admitted or recognised."""
        ...


@dataclass(frozen=True)
class Dialect:
    """What one standard serves below one prefix, and how it tells of errors.

    write_error: of an error and its status, the answer in the standard's shape.
    unforeseen: the same of a fault of ours, which says no more than that there was one.
    """

    prefix: str
    operations: Sequence[Operation]
    write_error: Callable[[HansaError, int], Answer]
    unforeseen: Answer


class Exchanges:
    """The dialects of one node as an ASGI application.

    The first dialect answers for paths outside all prefixes too. scope["route"] names the
    operation's template for whoever counts requests. limits: how much one caller may ask.
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        gate: Gate,
        *,
        limits: Limits | None = None,
        threads: int = THREADS,
    ) -> None:
        self._limits = limits or Limits(Measure())
        self._dialects = dialects
        self._gate = gate
        self._table = _Table(
            (operation, dialect) for dialect in dialects for operation in dialect.operations
        )
        self._threads = threads
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._threads)
        dialect = self._speaks(scope["path"])
        head = None
        try:
            intake.check_headers(scope["headers"])
            head = intake.head(scope)
            operation, params = self._table.find(scope["method"], intake.raw_path(scope))
            scope["route"] = operation
            query = intake.query(scope)
            body = await intake.read(scope, receive, operation.body_max)
        except HansaError as error:
            await _send(send, await self._turn_away(dialect, error, head))
            return
        except intake.Gone:
            return
        ask = Ask(**vars(head), operation=operation, params=params, query=query, body=body)
        answer = await to_thread.run_sync(self._work, dialect, ask, limiter=self._limiter)
        await _send(send, answer)

    async def _turn_away(self, dialect: Dialect, error: HansaError, head: Head | None) -> Answer:
        """The answer to a request that is not read: sealed for whoever is proved to have sent just
        this one, so that nobody on its way can have it turned away by making another of it.

        Of what came too late, or under too many headers, that cannot be proved.
        """
        answer = _told(dialect, error)
        if head is None or isinstance(error, TryLater) or "signature-input" not in head.headers:
            return answer
        known = await to_thread.run_sync(self._recognise, head, limiter=self._limiter)
        if known is None or (isinstance(error, TooLong) and not await error.is_body_of(head)):
            return answer
        return await to_thread.run_sync(
            self._refuse, dialect, head, known, answer, limiter=self._limiter
        )

    def _recognise(self, head: Head) -> Caller | None:
        try:
            return self._gate.recognise(head)
        except Exception as error:  # noqa: BLE001 - the caller gets an answer all the same
            _unforeseen(head, error)
            return None

    def _refuse(self, dialect: Dialect, head: Head, known: Caller, answer: Answer) -> Answer:
        try:
            with self._limits.visit(known.actor):
                pass
        except HansaError as error:
            answer = _told(dialect, error)
        return self._sealed(dialect, head, known, answer)

    def _work(self, dialect: Dialect, ask: Ask) -> Answer:
        """Admit, handle, seal: all of a request that may wait for a database."""
        caller: Caller | None = None
        try:
            if ask.operation.gated:
                caller = self._gate.admit(ask)
                with self._limits.visit(caller.actor):
                    _allowed(ask.operation, caller)
                    answer = ask.operation.handle(ask, caller)
            else:
                answer = ask.operation.handle(ask, NOBODY)
        except HansaError as error:
            if status_of(error) == 401:
                log.warning("caller refused", extra={"path": ask.path, "words": error.words})
            answer = _told(dialect, error)
        except Exception as error:  # noqa: BLE001 - the caller gets an answer all the same
            _unforeseen(ask, error)
            answer = dialect.unforeseen
        return self._sealed(dialect, ask, caller, answer)

    def _sealed(
        self, dialect: Dialect, head: Head, caller: Caller | None, answer: Answer
    ) -> Answer:
        try:
            return self._gate.seal(head, caller, answer)
        except HansaError as error:
            return _told(dialect, error)
        except Exception as error:  # noqa: BLE001 - as above
            _unforeseen(head, error)
            return dialect.unforeseen

    def _speaks(self, path: str) -> Dialect:
        for dialect in self._dialects:
            if path.startswith(dialect.prefix):
                return dialect
        return self._dialects[0]


NOBODY = Caller(Actor("nobody", "customer"))  # type: ignore[arg-type]
"""The caller of what anyone may ask."""


def _allowed(operation: Operation, caller: Caller) -> None:
    if caller.scopes is not None and operation.scope and operation.scope not in caller.scopes:
        raise Refused(
            "scope-missing",
            f"This needs the scope {operation.scope}, which the client has not been given. "
            "Have the operator grant it.",
            field="scope",
        )


def _told(dialect: Dialect, error: HansaError) -> Answer:
    return dialect.write_error(error, status_of(error))


def _unforeseen(head: Head, error: Exception) -> None:
    log.error("fault while answering", extra={"path": head.path}, exc_info=error)


# --- routes -----------------------------------------------------------------------------------


class _Table:
    """Operations by path: literal steps in a tree, a step that varies where no literal fits."""

    def __init__(self, served: Iterable[tuple[Operation, Dialect]]) -> None:
        self._root: dict[str, Any] = {}
        for operation, _ in served:
            node = self._root
            for step in operation.template.strip("/").split("/"):
                node = node.setdefault("{}" if step.startswith("{") else step, {})
            methods = node.setdefault("/", {})
            if operation.method in methods:
                raise ValueError(f"{operation.method} {operation.template} is served twice")
            methods[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        """Raises NotFound `path-unknown`, Refused `method-unknown` for a path without it."""
        values: list[str] = []
        node: dict[str, Any] | None = self._root
        for step in path.strip("/").split("/"):
            assert node is not None
            inner = node.get(step) if step and step not in "{}/" else None
            if inner is None:
                inner = node.get("{}")
                values.append(_value(step))
            if inner is None:
                raise _unknown_path()
            node = inner
        assert node is not None
        methods = node.get("/")
        if methods is None or not all(values):
            raise _unknown_path()
        operation = methods.get(method)
        if operation is None:
            raise Refused(
                "method-unknown",
                f"{method} is not served at this path; {', '.join(sorted(methods))} is.",
                field="method",
            )
        return operation, dict(zip(_names(operation.template), values, strict=True))


def _value(step: str) -> str:
    """What a step that varies stands for."""
    try:
        value = unquote(step, errors="strict")
    except UnicodeDecodeError:
        value = "\0"
    if not value.isprintable() or len(value) > STEP_MAX:
        raise Refused(
            "malformed",
            f"The path holds what can be no name or id: UTF-8, printable, at most {STEP_MAX} "
            "characters are expected. Correct it and send it again.",
            field="path",
        )
    return value


def _names(template: str) -> Iterator[str]:
    return (step[1:-1] for step in template.split("/") if step.startswith("{"))


def _unknown_path() -> NotFound:
    return NotFound("path-unknown", "There is nothing at this path.", field="path")


# --- what goes out ----------------------------------------------------------------------------


async def _send(send: Any, answer: Answer) -> None:
    bare = answer.status == 204
    headers = [] if bare else [(b"content-type", answer.media_type.encode("latin-1"))]
    headers += [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers.items()
    ]
    if isinstance(answer.body, bytes):
        if not bare:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for piece in _pieces(answer.body):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _pieces(body: Iterable[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a stream, each made on a thread."""
    source = iter(body)
    while (piece := await to_thread.run_sync(next, source, None)) is not None:
        yield piece
