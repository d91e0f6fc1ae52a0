"""Logs: a line of JSON (or of text, for a person) an event, on standard error, with the request's id."""

import json
import logging
import sys
import threading
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from io import FileIO
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog
from structlog.stdlib import ProcessorFormatter

LogFormat = Literal["json", "text"]

#: The id of the request at hand; it travels through all the services (header Request-Id).
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

#: A log file is put aside at this size, and so many of those are kept.
LARGEST_LOG_BYTES = 20 * 1024 * 1024
OLD_LOGS_KEPT = 3


def configure_logging(service: str, log_format: LogFormat, level: str, log_file: Path | None = None) -> None:
    """Route structlog and the standard library's logging alike, to standard error or a file; once per process.

    Every request writes a line, so our own events go to the lines without a record of the standard library's between.
    """

    def add_context(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        current = request_id.get()
        if current is not None:
            event["request_id"] = current
        return event

    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_context,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        _as_json
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    lines = _StandardError() if log_file is None else _LogFile(log_file)
    structlog.configure(
        processors=[*processors, renderer],
        logger_factory=lambda name: _Logger(name, lines),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At WARNING: what these say at INFO is of use to their own authors.
    for noisy in ("alembic", "_granian", "granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return logger


def _as_json(_logger: Any, _name: str, event: structlog.typing.EventDict) -> str:
    """In ASCII alone, which can say nothing to a terminal. Never raises, whatever the values are."""
    with suppress(ValueError, OverflowError):  # half a character, a number beyond 64 bits
        line = msgspec.json.encode(event, enc_hook=repr)
        if line.isascii():
            return line.decode()
    return json.dumps(event, default=repr)


class _Logger:
    """What structlog gives a finished line to, by the method of its level."""

    def __init__(self, name: str, lines: "_StandardError") -> None:
        self.name = name
        self._lines = lines

    def _write(self, line: str) -> None:
        self._lines.write(f"{line}\n")

    debug = info = warning = error = critical = _write


class _StandardError:
    """Standard error. Never raises: no request fails because nobody reads its line any more, or the disk is full."""

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):  # the second: it is closed
            sys.stderr.write(line)


class _LogFile(_StandardError):
    """A file, put aside when it is full; what cannot be written goes to standard error.

    Nobody waits for another one's line to be written: who finds somebody writing leaves theirs to them.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._files = RotatingFileHandler(path, backupCount=OLD_LOGS_KEPT, delay=True)  # opens none, renames them
        self._file: FileIO | None = None
        self._room_bytes = 0
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()

    def write(self, line: str) -> None:
        self._lines.append(line)
        # Asked again after the release: who left a line just before it was not let in.
        while self._lines and self._writing.acquire(blocking=False):
            try:
                self._write_out("".join(self._lines.popleft() for _ in range(len(self._lines))))
            finally:
                self._writing.release()

    def _write_out(self, lines: str) -> None:
        data = lines.encode(errors="backslashreplace")
        try:
            if self._file is None or self._room_bytes < len(data):
                self._file = self._with_room(len(data))
            self._file.write(data)
            self._room_bytes -= len(data)
        except OSError:
            super().write(lines)

    def _with_room(self, needed_bytes: int) -> FileIO:
        if self._file is not None:
            self._file.close()
            self._file = None
        size = self._path.stat().st_size if self._path.is_file() else 0
        if size + needed_bytes > LARGEST_LOG_BYTES:
            self._files.doRollover()
            size = 0
        self._room_bytes = LARGEST_LOG_BYTES - size
        return FileIO(self._path, "a")
