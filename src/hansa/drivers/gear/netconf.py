"""A configuration taken to a device over NETCONF (RFC 6241), on probation: it is committed, looked
at, and only then confirmed. What is not confirmed the device itself takes back, also when this
process dies or the way to the device does.

Needs the extra `gear`.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.readings import Check

CONFIRM_S = 120
"""How long a device waits for the confirmation before it goes back by itself."""

BACK_S = 10.0
"""How much longer than that we wait to see that it has."""

PAUSE_S = 0.2
REPLY_S = 60
TICK_S = 0.01
"""How long ncclient lets what it is to send lie at most: by itself a tenth of a second, so that a
push of a dozen operations would mostly be waiting.
"""

NEEDED = ("candidate", "confirmed-commit", "validate")
CAPABILITY = "urn:ietf:params:netconf:capability:"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"


@dataclass(frozen=True, slots=True)
class Device:
    """Where a device is, and by what we know each other. key: the file of our private key.
    host_key: the device's public one, as OpenSSH writes it: `ssh-ed25519 AAAA…`.
    """

    host: str
    user: str
    key: Path
    host_key: str
    port: int = 830


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of it. changed: False when all was so already, and nothing was committed.
    kept: False when a check failed or came too late, and the device has gone back to what it was.
    """

    changed: bool
    kept: bool
    checks: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a device has of all that a configuration speaks of, and what it would have."""

    before: str
    after: str

    @property
    def lines(self) -> Sequence[str]:
        """As `diff -u` tells it; empty when nothing is to change."""
        sides = (self.before.splitlines(), self.after.splitlines())
        told = difflib.unified_diff(*sides, "the device now", "the device then", lineterm="")
        return tuple(told)


def difference(device: Device, configuration: str) -> Difference:
    """What would change: tried on the device, which finds it well, and taken back. Raises as
    `push`.
    """
    config = _etree().fromstring(configuration.encode())
    with _session(device) as session:
        _check_capabilities(session, config)
        with _held(session):
            before = _has(session, "running", config)
            return Difference(before, _validated(session, config))


def push(
    device: Device,
    configuration: str,
    *,
    verify: Callable[[], Sequence[Check]],
    confirm_s: int = CONFIRM_S,
    shown: Difference | None = None,
) -> Pushed:
    """Has a device be as its configuration says, if all is well with it then. Twice is once.

    verify: looks at what came of it, within confirm_s; that the device has what it was told is
    looked at in any case. shown: what somebody has agreed to; nothing else is done.

    Raises Refused `gear-missing` without the extra, `gear-model` for what the device has no model
    of, `gear-refused` with what it said and where, its field the path, `gear-key` for a private
    key that is not private; TryLater `gear-busy`, `gear-changed`, `gear-silent`.
    """
    config = _etree().fromstring(configuration.encode())
    with _session(device) as session:
        _check_capabilities(session, config)
        with _held(session):
            before, wanted = _has(session, "running", config), _validated(session, config)
            if shown is not None and shown != Difference(before, wanted):
                raise TryLater(
                    "gear-changed",
                    f"Somebody has changed {device.host} since the difference was shown; nothing "
                    "was done. Look at it again.",
                )
            if wanted == before:
                return Pushed(changed=False, kept=True, checks=verify())
            session.edit_config(target="candidate", config=config)
            until = time.monotonic() + confirm_s
            session.commit(confirmed=True, timeout=str(confirm_s))
            checks = [_arrived(_has(session, "running", config) == wanted), *verify()]
            if all(one.ok for one in checks) and time.monotonic() < until:
                session.commit()
                return Pushed(changed=True, kept=True, checks=checks)
    _await_return(device, config, before, confirm_s)
    return Pushed(changed=True, kept=False, checks=checks)


def answers(device: Device) -> Check:
    """Whether the device still lets us in anew, now that it has been changed."""
    try:
        with _session(device):
            return Check("management", "answers", "answers", ok=True)
    except TryLater:
        return Check("management", "answers", "silent", ok=False)


def running(device: Device, configuration: str) -> str:
    """What a device has of all that a configuration speaks of, as canonical XML by lines."""
    config = _etree().fromstring(configuration.encode())
    with _session(device) as session:
        return _has(session, "running", config)


def _await_return(device: Device, config: Any, before: str, confirm_s: int) -> None:
    """Waits until the device has gone back by itself: when its session ended, or in time."""
    until = time.monotonic() + confirm_s + BACK_S
    while True:
        with _session(device) as session:
            if _has(session, "running", config) == before:
                return
        if time.monotonic() > until:
            raise TryLater(
                "gear-silent",
                f"{device.host} has not gone back to what it was {confirm_s} s after a change that "
                "was not confirmed: look at it.",
            )
        time.sleep(PAUSE_S)


# --- the session ----------------------------------------------------------------------------------


@contextmanager
def _session(device: Device) -> Iterator[Any]:
    """What goes wrong in it is Refused or TryLater."""
    _check_key(device.key)
    connect = _library("ncclient.manager").connect
    _library("ncclient.transport.session").TICK = TICK_S
    errors = _library("ncclient.operations.errors")
    try:
        with connect(
            host=device.host,
            port=device.port,
            username=device.user,
            key_filename=str(device.key),
            hostkey_b64=device.host_key.split()[1],
            allow_agent=False,
            look_for_keys=False,
            timeout=REPLY_S,
        ) as session:
            yield session
    except _rpc_error() as error:
        raise _refused(error) from None
    except (OSError, errors.NCClientError) as error:
        raise TryLater(
            "gear-silent",
            f"{device.host} does not answer over NETCONF, or is not who it was: {error}. What it "
            "was not told to keep it takes back by itself.",
        ) from None


def _check_key(key: Path) -> None:
    try:
        exposed = key.stat().st_mode & 0o077
    except OSError as error:
        raise Refused(
            "gear-key", f"There is no private key to read: {error}.", field="key_file"
        ) from None
    if exposed:
        raise Refused(
            "gear-key",
            f"{key} can be read by others than its owner. Make it private (chmod 600) and, if "
            "others could have read it, give the device another.",
            field="key_file",
        )


def _refused(error: Any) -> Refused:
    first = next(iter(getattr(error, "errors", None) or []), error)
    path = " ".join((first.path or "").split())
    words = first.message or first.tag
    return Refused(
        "gear-refused",
        f"The device refuses it{f' at {path}' if path else ''}: {words}",
        field=path or None,
    )


def _check_capabilities(session: Any, config: Any) -> None:
    told = list(session.server_capabilities)
    for name in NEEDED:
        if not any(one.startswith(f"{CAPABILITY}{name}:") for one in told):
            raise Refused("gear-model", f"The device cannot do {name} (RFC 6241).", field=name)
    spaces = {one.partition("?")[0] for one in told}
    for part in config:
        space = _etree().QName(part).namespace
        if space not in spaces:
            raise Refused(
                "gear-model",
                f"The device has no model {space}: it is not told what it would not know.",
                field=_etree().QName(part).localname,
            )


@contextmanager
def _held(session: Any) -> Iterator[None]:
    """With nobody else changing the device. Raises TryLater `gear-busy`.

    What is running is held only where others could change it past the candidate: a lock that is
    left behind by a session that broke off may keep a device from going back.
    """
    direct = any(
        one.startswith(f"{CAPABILITY}writable-running:") for one in session.server_capabilities
    )
    with ExitStack() as locks:
        try:
            for store in ("running", "candidate") if direct else ("candidate",):
                locks.enter_context(session.locked(store))
        except _rpc_error() as error:
            raise TryLater(
                "gear-busy", f"Somebody else is changing the device: {error}. Try again later."
            ) from None
        yield


def _validated(session: Any, config: Any) -> str:
    """What the device would have, which it finds well; the candidate is left as it was running.

    A change is tried and taken back here, and made anew to be committed: netconfd 2.13 forgets
    that a candidate was changed when it has validated it, and commits nothing.
    """
    session.discard_changes()
    try:
        session.edit_config(target="candidate", config=config)
        session.validate(source="candidate")
        return _has(session, "candidate", config)
    finally:
        session.discard_changes()


def _arrived(ok: bool) -> Check:
    return Check("configuration", "as told", "as told" if ok else "something else", ok)


def _has(session: Any, store: str, config: Any) -> str:
    """What a store has below the outermost parts of a configuration, in one form."""
    etree = _etree()
    wanted = etree.Element(f"{{{BASE}}}filter", type="subtree")
    for part in config:
        wanted.append(etree.Element(part.tag))
    found = deepcopy(session.get_config(source=store, filter=wanted).data_ele)
    for one in found.iter():
        one.attrib.clear()
        one.text, one.tail = (one.text or "").strip() or None, None
    for one in found:
        etree.indent(one)
    parts = (etree.tostring(one, method="c14n2").decode() for one in found)
    return "\n".join(sorted(parts))


# --- the library ----------------------------------------------------------------------------------


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise Refused(
            "gear-missing",
            "NETCONF needs more than a node does: run `pip install 'hansa[gear]'`, or in a clone "
            "`make gear`.",
        ) from None


def _etree() -> Any:
    return _library("lxml.etree")


def _rpc_error() -> Any:
    return _library("ncclient.operations.rpc").RPCError
