"""Files of the shop's look: each under an address that holds the hash of its content, kept by browsers for ever."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from bazar.chassis.compression import compressed, in_gzip

FOLDER = Path(__file__).parent.parent / "static"
KEPT_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent; ``path`` stands behind ``/static/``."""

    path: str
    content: bytes
    in_gzip: bytes
    content_type: str


class Assets:
    """All files of a folder, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name = {file.name: _read(file) for file in sorted(folder.iterdir())}
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    def mount(self, pages: Blueprint) -> None:
        """Serve the files, and tell the templates their addresses: ``asset('shop.css')``."""

        @pages.get("/static/<path>", endpoint="static")
        def static(path: str) -> Response:
            asset = self._by_path.get(path)
            if asset is None:
                raise NotFound
            response = Response(asset.content, content_type=asset.content_type)
            response.headers["Cache-Control"] = KEPT_FOR_EVER
            return in_gzip(response, asset.in_gzip)

        pages.add_app_template_global(self.address, "asset")

    def address(self, name: str) -> str:
        """Where the file is now; raises KeyError where there is none."""
        return f"/static/{self._by_name[name].path}"


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    digest = hashlib.sha256(content).hexdigest()[:16]
    text = kind.startswith("text/")
    content_type = f"{kind}; charset=utf-8" if text else kind
    return Asset(f"{file.stem}.{digest}{file.suffix}", content, compressed(content), content_type)
