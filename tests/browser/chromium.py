"""Debian's Chromium before a shop: it knows the shop's certificate, and asks nothing of any other host."""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from shop import Shop

EXECUTABLE = Path("/usr/bin/chromium")
PHONE, DESK = 360, 1280
HEIGHT = 800
PATIENCE_MS = 20_000

Scheme = Literal["light", "dark"]


class ChromiumMissing(Exception):
    """Says how to install it."""


@contextmanager
def open_shop() -> Iterator[Shop]:
    """With the sample catalogue, in a folder that goes with it."""
    with TemporaryDirectory() as folder:
        shop = Shop(Path(folder) / "var")
        try:
            yield shop
        finally:
            shop.stop()


@contextmanager
def chromium(shop: Shop) -> Iterator[Browser]:
    """A browser for this shop; raises ChromiumMissing."""
    if not EXECUTABLE.exists():
        raise ChromiumMissing(f"{EXECUTABLE} is missing; as root on Debian, run tests/install-system-packages.sh")
    arguments = [
        "--no-sandbox",  # which root cannot have
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
        # Trusted as if its CA were installed; to look past mistakes in certificates would also keep it from caching.
        f"--ignore-certificate-errors-spki-list={_hash_of_key(shop)}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=arguments)
        yield browser
        browser.close()


def look(
    browser: Browser, shop: Shop, *, width: int = DESK, script: bool = True, scheme: Scheme = "light"
) -> BrowserContext:
    """Somebody's browser, that has never been here."""
    context = browser.new_context(
        base_url=shop.url,
        viewport={"width": width, "height": HEIGHT},
        java_script_enabled=script,
        color_scheme=scheme,
        locale="en-US",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def _hash_of_key(shop: Shop) -> str:
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate(("localhost", shop.port)).encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
