"""Structured logs: one JSON object a line, with the trace id of the order where there is one."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from structlog.contextvars import get_contextvars

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; all else on it was given by `extra=`. uvicorn gives its words twice."""


def set_up(*, party: str, process: str, level: str, shifted_clock: bool = False) -> None:
    """Sends every log record of this process to stderr as JSON.

    Each line names the operator and the process; `clock: shifted` marks a demonstration.
    Values given by `extra=` become fields. Nothing secret is ever passed to a logger.
    """
    always = {"party": party, "process": process}
    if shifted_clock:
        always["clock"] = "shifted"

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(always))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class Lines(logging.Formatter):
    """One JSON object for each record. always: the fields that every line begins with."""

    def __init__(self, always: Mapping[str, str]) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        line = {
            **self._always,
            **get_contextvars(),
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        line["timestamp"] = f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
