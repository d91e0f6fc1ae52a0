"""Logs: a line of JSON (or of text, for a person) an event, on standard error, with the request's id."""

import logging
import sys
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

import structlog

LogFormat = Literal["json", "text"]

#: The id of the request at hand; it travels through all the services (header Request-Id).
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


#: A log file is put aside at this size, and so many of those are kept.
LARGEST_LOG_BYTES = 20 * 1024 * 1024
OLD_LOGS_KEPT = 3


def configure_logging(service: str, log_format: LogFormat, level: str, log_file: Path | None = None) -> None:
    """Route structlog and the standard library's logging alike, to standard error or a file; once per process."""

    def add_context(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        current = request_id.get()
        if current is not None:
            event["request_id"] = current
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_context,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _handler(log_file)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At WARNING: what these say at INFO is of use to their own authors.
    for noisy in ("alembic", "urllib3", "_granian", "granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _handler(log_file: Path | None) -> logging.Handler:
    if log_file is None:
        return logging.StreamHandler(sys.stderr)
    log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return RotatingFileHandler(log_file, maxBytes=LARGEST_LOG_BYTES, backupCount=OLD_LOGS_KEPT, delay=True)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
