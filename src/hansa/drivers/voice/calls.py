"""Calls by sipp, in boxes: partners who take them, and tries of a trunk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import IPv4Address

from hansa.drivers.lab.box import Box

PARTNER = "partner"
"""The daemon that takes calls."""

_STREAM = '<nop><action><exec rtp_stream="{tone},-1,8,PCMA/8000"/></action></nop>'
_TONE = bytes(0x55 + (at * 37) % 32 for at in range(8_000)).decode()
"""A second of G.711 (A-law); what it sounds like does not matter."""

_REPLY = re.compile(r"SIP/2\.0 ([3-6][0-9][0-9])")
_ANSWERED = re.compile(r"Successful call\s*\|[^|]*\|\s*([0-9]+)")


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of calls. refused: the codes (RFC 3261) of those that were not answered, each
    once; empty too where nothing was heard.
    """

    made: int
    answered: int
    refused: tuple[int, ...]


def take_calls(box: Box, address: IPv4Address, *more: str) -> bool:
    """Has a partner take every call at this address; whether it did not yet. more: of sipp."""
    box.write("partner.xml", _scenario("partner"))
    return box.start(
        PARTNER,
        *("sipp", "-sf", box.path("partner.xml"), "-i", str(address), "-mi", str(address)),
        *("-p", "5060", "-rtp_echo", "-nostdin", "-aa", *more),
        ready=lambda: f"{address}:5060" in box.run("ss", "-Hlnu"),
    )


def answers(box: Box, *, source: IPv4Address, at: IPv4Address) -> bool:
    """Whether something answers SIP OPTIONS."""
    box.write("options.xml", _scenario("options"))
    return _sipp(box, "options.xml", source, at, ("-m", "1"), timeout_s=4).answered == 1


def call(
    box: Box,
    *,
    source: IPv4Address,
    at: IPv4Address,
    caller: str,
    called: str,
    trunk: str = "-",
    count: int = 1,
    rate: int = 10,
    held_ms: int = 200,
    media: bool = False,
    timeout_s: int = 15,
) -> Tried:
    """Calls through the controller `at`, `rate` a second, each held so long once answered.

    media: sends a tone. trunk: the one that a try is for, where the prober calls.
    """
    text = _scenario("caller")
    name = "caller.xml"
    if media:
        name = "speaker.xml"
        box.write("tone.al", _TONE)
        text = text.replace("<!-- media -->", _STREAM.format(tone=box.path("tone.al")))
    box.write(name, text)
    how = (
        *("-s", called, "-key", "caller", caller, "-key", "trunk", trunk),
        *("-m", str(count), "-r", str(rate), "-l", str(max(count, 1)), "-d", str(held_ms)),
    )
    return _sipp(box, name, source, at, how, timeout_s=timeout_s, count=count)


def _sipp(
    box: Box,
    scenario: str,
    source: IPv4Address,
    at: IPv4Address,
    how: Sequence[str],
    *,
    timeout_s: int,
    count: int = 1,
) -> Tried:
    told = box.try_run(
        *("sipp", f"{at}:5060", "-sf", box.path(scenario), "-i", str(source), "-mi", str(source)),
        *(*how, "-nostdin", "-aa", "-timeout", f"{timeout_s}s", "-timeout_error", "-trace_err"),
        *("-max_non_invite_retrans", "10"),  # for 31.5 s, the 64 T1 of RFC 3261
        *("-error_file", "/dev/stderr", "-recv_timeout", str(timeout_s * 1000)),
        timeout_s=timeout_s + 15,
    )
    answered = _ANSWERED.findall(told.out)
    codes = sorted({int(code) for code in _REPLY.findall(told.err)})
    return Tried(count, int(answered[-1]) if answered else 0, tuple(codes))


def _scenario(name: str) -> str:
    return files("hansa.drivers.voice").joinpath(f"{name}.xml").read_text("utf-8")
