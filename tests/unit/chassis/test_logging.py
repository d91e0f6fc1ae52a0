"""Lines of the log: what is in them, and where they go."""

import json
import logging
import threading
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import structlog

from bazar.chassis import logging as our_logging
from bazar.chassis.logging import OLD_LOGS_KEPT, configure_logging, get_logger, request_id


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Where this test's lines go; the process logs as before when it ends."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    file = tmp_path / "logs" / "catalog.log"
    configure_logging("catalog", "json", "INFO", file)
    kept = root.handlers[0].stream  # type: ignore[attr-defined]  # ours
    yield file
    if kept._file is not None:
        kept._file.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("ascii").splitlines()]


def test_a_line_says_what_happened_where_and_to_which_request(log_file: Path) -> None:
    token = request_id.set("abc123")
    get_logger("bazar.place").warning("it_happened", times=2)
    request_id.reset(token)
    (line,) = lines(log_file)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "it_happened",
        "level": "warning",
        "logger": "bazar.place",
        "request_id": "abc123",
        "service": "catalog",
        "times": 2,
    }


def test_libraries_write_the_same_lines(log_file: Path) -> None:
    get_logger("bazar.place").info("request")
    logging.getLogger("library").info("it is %s", "so")
    ours, theirs = lines(log_file)
    assert theirs.keys() == ours.keys()
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("it is so", "info", "library")


def test_what_is_below_the_level_is_not_written(log_file: Path) -> None:
    get_logger("bazar.place").debug("too_much")
    logging.getLogger("library").debug("too much")
    get_logger("bazar.place").info("enough")
    assert [line["event"] for line in lines(log_file)] == ["enough"]


def test_an_error_comes_with_its_traceback(log_file: Path) -> None:
    def fail() -> None:
        raise LookupError("not here")

    for log in (get_logger("bazar.place"), logging.getLogger("library")):
        try:
            fail()
        except LookupError:
            log.exception("failed")
    for line in lines(log_file):
        assert line["level"] == "error"
        assert "in fail" in line["exception"]
        assert line["exception"].endswith("LookupError: not here")


@pytest.mark.parametrize("value", ["\ud800", "\x9b31m Größe\n", 2**70, {1: object()}, b"\xff", Path("/tmp")])  # noqa: S108 - only named
def test_any_value_makes_one_line_of_ascii(log_file: Path, value: object) -> None:
    get_logger("bazar.place").info("seen", value=value)
    assert len(lines(log_file)) == 1


def test_a_full_file_is_put_aside(log_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(our_logging, "LARGEST_LOG_BYTES", 1000)
    log = get_logger("bazar.place")
    for number in range(100):
        log.info("one_of_many", number=number)
    files = [log_file, *(log_file.with_name(f"{log_file.name}.{old}") for old in range(1, OLD_LOGS_KEPT + 1))]
    assert sorted(log_file.parent.iterdir()) == sorted(files)
    assert all(0 < file.stat().st_size <= 1000 for file in files)
    kept = [line["number"] for file in reversed(files) for line in lines(file)]
    assert kept == list(range(kept[0], 100))


def test_a_line_that_comes_while_another_is_written_is_written_after_it(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = get_logger("bazar.place")

    class Slow(FileIO):
        def write(self, data: Any) -> int:
            if b"first" in data:
                other = threading.Thread(target=lambda: log.info("second"))
                other.start()
                other.join()  # it does not wait for us
                log.info("third")
            return super().write(data)

    monkeypatch.setattr(our_logging, "FileIO", Slow)
    log.info("first")
    assert [line["event"] for line in lines(log_file)] == ["first", "second", "third"]


def test_a_file_that_an_earlier_process_filled_is_put_aside(log_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(our_logging, "LARGEST_LOG_BYTES", 1000)
    log_file.write_text("x" * 999)
    get_logger("bazar.place").info("hello")
    assert log_file.with_name("catalog.log.1").read_text() == "x" * 999
    assert [line["event"] for line in lines(log_file)] == ["hello"]


def test_a_line_that_cannot_be_kept_goes_to_standard_error_and_fails_nobody(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_file.mkdir()
    get_logger("bazar.place").info("nowhere")
    assert json.loads(capsys.readouterr().err)["event"] == "nowhere"


@pytest.mark.usefixtures("log_file")
@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_standard_error_that_nobody_reads_fails_nobody(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Closed:
        def __init__(self) -> None:
            self.asked = 0

        def write(self, _text: str) -> int:
            self.asked += 1
            raise error

        def isatty(self) -> bool:
            return False

    closed = Closed()
    monkeypatch.setattr("sys.stderr", closed)
    configure_logging("catalog", "text", "INFO")
    get_logger("bazar.other").info("nowhere")
    logging.getLogger("library").info("nowhere")
    assert closed.asked == 2
