"""Templates are compiled once in a run of tests, not once for each shop that a test opens."""

from types import CodeType

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache


class _InMemory(BytecodeCache):
    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _InMemory()


def share_templates(app: Flask) -> None:
    """Let the application use what others before it have compiled; all of them compile alike."""
    app.jinja_env.bytecode_cache = _COMPILED


def compile_anew(app: Flask) -> None:
    """Let the application forget what was compiled, and compile for itself: otherwise, or in another language."""
    app.jinja_env.bytecode_cache = None
    app.jinja_env.cache = {}
