"""A backup: a folder with copies of databases and a manifest that says what they must be, there whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Literal

import msgspec

MANIFEST = "manifest.json"
FORMAT = 1


class NoBackup(Exception):
    """The folder is no backup, or not any more what the manifest says."""


class Part(msgspec.Struct, frozen=True):
    """The copy of one database. ``revision`` is that of its schema, ``rows`` are counted by table."""

    file: str
    kind: Literal["sqlite", "postgresql"]
    revision: str
    rows: dict[str, int]


class Manifest(msgspec.Struct, frozen=True):
    """What the backup holds. ``made_at``: RFC 3339 UTC. ``sha256`` of each file, by its path in the folder."""

    format: Annotated[int, msgspec.Meta(ge=FORMAT, le=FORMAT)]
    version: str
    made_at: str
    epoch: str
    parts: dict[str, Part]
    sha256: dict[str, str]


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Fill a folder under a name of its own; it takes the name ``target`` once all of it is on the disk.

    ``target`` may be an empty folder. After an error nothing is left; after a kill, a hidden folder of another name.
    """
    unfinished = target.with_name(f".{target.name}.unfinished-{secrets.token_hex(4)}")
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        yield unfinished
        for path in (*sorted(unfinished.rglob("*")), unfinished):
            write_through(path)
        unfinished.rename(target)
        write_through(target.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def write_manifest(folder: Path, version: str, made_at: str, epoch: str, parts: Mapping[str, Part]) -> None:
    """Last: it covers all that lies in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sha256 = {str(path.relative_to(folder)): _sha256(path) for path in files}
    manifest = Manifest(FORMAT, version, made_at, epoch, dict(parts), sha256)
    (folder / MANIFEST).write_text(json.dumps(msgspec.to_builtins(manifest), indent=2) + "\n")


def read_backup(folder: Path) -> Manifest:
    """The manifest of a backup whose files are what it says; raises NoBackup."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise NoBackup(f"{folder} is no backup: it has no {MANIFEST}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoBackup(f"{folder / MANIFEST} cannot be read by this version: {error}") from None
    for name, expected in manifest.sha256.items():
        path = folder / name
        if not path.is_file():
            raise NoBackup(f"{path} is missing")
        if _sha256(path) != expected:
            raise NoBackup(f"{path} is damaged: it is not what {MANIFEST} says")
    for part in manifest.parts.values():
        if part.file not in manifest.sha256:
            raise NoBackup(f"{folder / MANIFEST} has no checksum of {part.file}")
    return manifest


def write_through(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
