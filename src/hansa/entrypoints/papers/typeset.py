"""Papers as PDF for people: PDF/UA-1, tagged, with their fonts inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansa.entrypoints.papers.extra import extra

STANDARD = "ua-1"


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """What a template of this folder makes of the data, all of which is texts and lists of texts.

    What people have named things is data for the template, never its code.
    Raises Refused `extra-missing` where the library for it is not installed.
    """
    typst = extra("typst")
    pdf: bytes = typst.compile(
        Path(__file__).with_name(template).read_bytes(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=[STANDARD],
        ignore_system_fonts=True,
    )
    return pdf
