"""The configuration of a session border controller: sbc.cfg with what differs above it."""

from __future__ import annotations

from importlib.resources import files

from hansa.drivers.voice.intent import Controller

PARTS = 24
"""In so many parts a trunk's calls are listed. Kamailio lists a call in 1.2 kB, and can answer
with what the kernel lets into a datagram, usually 208 kB. Of 2,000 calls, the most that a trunk may
have, a part has 83, and hardly ever twice as many.
"""


def render(controller: Controller, *, home: str) -> str:
    """Kamailio's file (5.6). home: the folder of the controller's files, as it sees it."""
    here = {
        "HANSA_INSIDE": controller.inside,
        "HANSA_OUTSIDE": controller.outside,
        "HANSA_HOME": home,
        "HANSA_SILENCE_MS": controller.silence_ms,
        "HANSA_REST_S": controller.rest_s,
        "HANSA_LONGEST_S": controller.longest_s,
        "HANSA_MISSES": controller.misses,
        "HANSA_PARTS": PARTS,
        "HANSA_X5U": controller.certificate,
    }
    defined = "".join(f'#!substdef "!{name}!{value}!g"\n' for name, value in here.items())
    same = files("hansa.drivers.voice").joinpath("sbc.cfg").read_text("utf-8")
    return f"#!KAMAILIO\n{defined}\n{same}"
