"""What a buyer has who orders seats and says no more: a policy for an office, in plain values."""

from __future__ import annotations

from typing import Literal

from hansa.drivers.security.intent import INSIDE, Firewall, Gateway, NameList, Policy, Rule

_US = (f"@{INSIDE}",)
_BOTH: tuple[Literal["tcp", "udp"], ...] = ("tcp", "udp")

FIREWALL = Firewall(
    rules=(
        Rule("inside", "accept", src=_US, dst=_US),
        Rule("other-resolvers", "reject", src=_US, proto=_BOTH, ports=("53", "853")),
        Rule("telnet", "reject", src=_US, proto=("tcp",), ports=("23",)),
        Rule("file-shares", "reject", src=_US, proto=("tcp",), ports=("139", "445")),
        Rule("direct-mail", "reject", src=_US, proto=("tcp",), ports=("25",)),
        Rule("web-past-gateway", "reject", src=_US, proto=("udp",), ports=("443",)),
        Rule("web", "accept", src=_US, proto=("tcp",), ports=("80", "443")),
        Rule("mail", "accept", src=_US, proto=("tcp",), ports=("465", "587", "993")),
        Rule("meetings", "accept", src=_US, proto=_BOTH, ports=("3478-3481",)),
        Rule("time", "accept", src=_US, proto=("udp",), ports=("123",)),
        Rule("ping", "accept", src=_US, proto=("icmp",), rate=100),
    ),
)
"""From inside what offices need, from outside nothing; names are asked of the filter alone."""

LISTS = (
    NameList("malware", "block", ("malware.example", "phishing.example")),
    NameList("betting", "block", ("bets.example", "casino.example")),
)
"""Invented names; a buyer's own feeds take their place."""

POLICY = Policy(FIREWALL, LISTS, Gateway())
