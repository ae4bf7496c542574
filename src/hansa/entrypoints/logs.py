"""Structured logs: one JSON object a line, with the trace id of the order where there is one."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up(*, party: str, process: str, level: str, shifted_clock: bool = False) -> None:
    """Sends every log record of this process to stderr as JSON.

    Each line names the operator and the process; `clock: shifted` marks a demonstration.
    Values given by `extra=` become fields. Nothing secret is ever passed to a logger.
    """
    always = {"party": party, "process": process}
    if shifted_clock:
        always["clock"] = "shifted"

    def mark(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.pop("color_message", None)  # uvicorn's second copy of its words, for terminals
        return {**always, **event}

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mark,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
