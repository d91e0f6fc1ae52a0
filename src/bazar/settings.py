"""The settings of the shop: each an environment variable ``BAZAR_…`` and a flag, with a default that is safe.

This table is the only place that knows them; docs/runbook.md shows it, and a test compares the two.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class BadSetting(Exception):
    """A setting has a value that it cannot have; says which and what is allowed."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        # What should have been a database's URL may be its password.
        shown = "…" if name.endswith("_DATABASE_URL") else repr(value)
        self.why = f"{shown} cannot be used: {allowed}"
        self.name = name
        super().__init__(f"{name}={self.why}")


#: Where servers of one machine find each other.
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8443
#: Of what the shop tells of itself.
MOST_CHARACTERS = 200

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _whole_number(text: str, least: int, most: int | None, allowed: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < least or (most is not None and int(text) > most):
        raise ValueError(allowed)
    return int(text)


def _port(text: str) -> int:
    allowed = "a port from 1 to 65533 (the catalog and the order server take the next two)"
    return _whole_number(text, 1, 65_533, allowed)


def _count(text: str) -> int:
    return _whole_number(text, 0, None, "a whole number; 0 means no limit")


def _minutes(text: str) -> int:
    return _whole_number(text, 0, 525_600, "a whole number of minutes up to 525600, a year; 0 for not at all")


def _threads(text: str) -> int:
    return _whole_number(text, 1, 256, "a whole number from 1 to 256")


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("an IP address of this machine, without a port; 0.0.0.0 for all") from None


def _switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("0 or 1")
    return text == "1"


def _public_url(text: str) -> str:
    return _origin(text, "https://host or https://host:port")


def _service_url(text: str) -> str:
    allowed = "https://host:port"
    if not re.search(":[0-9]+/*$", text):
        raise ValueError(allowed)
    return _origin(text, allowed)


def _origin(text: str, allowed: str) -> str:
    plain = text.rstrip("/")
    try:
        parts = urlsplit(plain)
        usable = parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # of urlsplit, whose words are for programmers
        usable = False
    if not usable or plain != f"https://{parts.netloc}":
        raise ValueError(allowed)
    return plain


def _database_url(text: str) -> str:
    allowed = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError(allowed)
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError(allowed) from None
    return text


def _words(text: str) -> str:
    plain = text.strip()
    if not plain.isprintable() or len(plain) > MOST_CHARACTERS:
        raise ValueError(f"one line of at most {MOST_CHARACTERS} characters")
    return plain


def _name(text: str) -> str:
    plain = _words(text)
    if not plain:
        raise ValueError(f"one line of 1 to {MOST_CHARACTERS} characters")
    return plain


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError("three capital letters by ISO 4217, USD say")
    return text


def _time_zone(text: str) -> tzinfo:
    if text == "UTC":
        return UTC  # also where the machine knows no other
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: of a name that is a folder of names
        raise ValueError(
            "a name in the IANA time zone database, Europe/Berlin or UTC say; if it is one, install that database "
            "(Debian: apt install tzdata)"
        ) from None


def _log_format(text: str) -> str:
    if text not in {"json", "text"}:
        raise ValueError("json or text")
    return text


def _log_level(text: str) -> str:
    if text not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"addresses or networks with commas between ({error})") from None


def _setting(variable: str, read: Callable[[str], Any], default: str | None, meaning: str) -> Any:
    return field(metadata={"variable": variable, "read": read, "default": default, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator has set; where nothing is set, the default."""

    data_dir: Path = _setting("BAZAR_DATA_DIR", Path, "var", "Folder of certificates, databases and search index")
    port: int = _setting(
        "BAZAR_PORT",
        _port,
        str(DEFAULT_PORT),
        "Port of the front-end; the catalog and the order server take the next two",
    )
    bind_address: str = _setting(
        "BAZAR_BIND_ADDRESS", _address, LOOPBACK, "Address that a server listens on; 0.0.0.0 for all"
    )
    catalog_url: str = _setting(
        "BAZAR_CATALOG_URL", _service_url, "", "Where the catalog is; on this machine unless set"
    )
    order_url: str = _setting(
        "BAZAR_ORDER_URL", _service_url, "", "Where the order server is; on this machine unless set"
    )
    catalog_database_url: str = _setting(
        "BAZAR_CATALOG_DATABASE_URL",
        _database_url,
        "",
        "The catalog's database; SQLite in the data folder unless set",
    )
    order_database_url: str = _setting(
        "BAZAR_ORDER_DATABASE_URL", _database_url, "", "The order server's database; as above"
    )
    frontend_database_url: str = _setting(
        "BAZAR_FRONTEND_DATABASE_URL", _database_url, "", "The front-end's database; as above"
    )
    public_url: str = _setting(
        "BAZAR_PUBLIC_URL",
        _public_url,
        "",
        "The shop's address as its customers type it; https://localhost:PORT unless set",
    )
    tls_certificate: Path | None = _setting(
        "BAZAR_TLS_CERTIFICATE",
        Path,
        "",
        "The shop's own public certificate (PEM, with its chain); our CA's unless set",
    )
    tls_key: Path | None = _setting("BAZAR_TLS_KEY", Path, "", "The key of BAZAR_TLS_CERTIFICATE (PEM, PKCS#8)")
    trusted_proxies: tuple[Network, ...] = _setting(
        "BAZAR_TRUSTED_PROXIES",
        _networks,
        "",
        "Proxies whose X-Forwarded-For is believed: networks, commas between",
    )
    currency: str = _setting(
        "BAZAR_CURRENCY", _currency, "USD", "The shop's one currency (ISO 4217), from the first start on"
    )
    shop_name: str = _setting("BAZAR_SHOP_NAME", _name, "Bazar", "What the shop is called on its pages")
    shop_address: str = _setting("BAZAR_SHOP_ADDRESS", _words, "", "Where orders are collected; left out unless set")
    shop_hours: str = _setting("BAZAR_SHOP_HOURS", _words, "", "When the shop is open; left out unless set")
    shop_contact: str = _setting(
        "BAZAR_SHOP_CONTACT", _words, "", "How readers reach the shop: telephone, e-mail; left out unless set"
    )
    shop_time_zone: tzinfo = _setting(
        "BAZAR_SHOP_TIME_ZONE",
        _time_zone,
        "UTC",
        "Whose times the pages show, and whose midnight ends a day: a name by IANA, Europe/Berlin say",
    )
    sample: bool = _setting("BAZAR_SAMPLE", _switch, "1", "1 loads the sample catalogue at the first start")
    sign_ins_per_minute: int = _setting(
        "BAZAR_SIGN_INS_PER_MINUTE", _count, "30", "Sign-ins a minute from one address; 0 for no limit"
    )
    registrations_per_minute: int = _setting(
        "BAZAR_REGISTRATIONS_PER_MINUTE",
        _count,
        "30",
        "New accounts a minute from one address; 0 for no limit",
    )
    failed_sign_ins_per_minute: int = _setting(
        "BAZAR_FAILED_SIGN_INS_PER_MINUTE",
        _count,
        "10",
        "Failed sign-ins a minute to one account from one address, ten times as many from all; 0 for no limit",
    )
    new_baskets_per_minute: int = _setting(
        "BAZAR_NEW_BASKETS_PER_MINUTE",
        _count,
        "60",
        "Baskets a minute that guests from one address may begin; 0 for no limit",
    )
    cancel_within_minutes: int = _setting(
        "BAZAR_CANCEL_WITHIN_MINUTES",
        _minutes,
        "60",
        "How long after an order its customer can cancel it; 0 for not at all",
    )
    threads: int = _setting(
        "BAZAR_THREADS",
        _threads,
        "16",
        "Requests of one kind that a server works on at a time; purchases, which mostly wait: four times that",
    )
    one_core: bool = _setting(
        "BAZAR_ONE_CORE",
        _switch,
        "1",
        "1 keeps the front-end's Python on one core; 0 lets it move, for several front-ends on one machine",
    )
    log_format: Literal["json", "text"] = _setting("BAZAR_LOG_FORMAT", _log_format, "json", "json or text")
    log_level: str = _setting("BAZAR_LOG_LEVEL", _log_level, "INFO", "DEBUG, INFO, WARNING or ERROR")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables; raises BadSetting, also for a BAZAR_… that is none of these."""
        known = {setting.metadata["variable"] for setting in fields(cls)}
        for name in environment:
            if name.startswith("BAZAR_") and name not in known:
                raise BadSetting(name, "…", f"there is no such setting; there are {', '.join(sorted(known))}")
        return cls(**{setting.name: _read(setting.metadata, environment) for setting in fields(cls)}).completed()

    def completed(self) -> "Settings":
        """With what follows from other settings filled in."""
        given = {setting.name: getattr(self, setting.name) for setting in fields(self)}
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise BadSetting(
                "BAZAR_TLS_KEY",
                str(self.tls_key or ""),
                "it goes with BAZAR_TLS_CERTIFICATE: set both or none",
            )
        data_dir = self.data_dir.expanduser().absolute()
        defaults = {
            "data_dir": data_dir,
            "catalog_url": f"https://{LOOPBACK}:{self.catalog_port}",
            "order_url": f"https://{LOOPBACK}:{self.order_port}",
            "public_url": f"https://localhost:{self.port}",
            **{
                f"{service}_database_url": f"sqlite:///{data_dir / service}.sqlite3"
                for service in ("catalog", "order", "frontend")
            },
        }
        return Settings(
            **{
                **given,
                **{name: given[name] or default for name, default in defaults.items()},
                "data_dir": data_dir,
            }
        )

    @property
    def catalog_port(self) -> int:
        """The port that the catalog listens on."""
        return self.port + 1

    @property
    def order_port(self) -> int:
        """The port that the order server listens on."""
        return self.port + 2

    @property
    def certificates(self) -> Path:
        """The folder of the CA and the leaves."""
        return self.data_dir / "certs"

    @property
    def restore_marker(self) -> Path:
        """The file that says that a restore has begun and has not ended."""
        return self.data_dir / "restore-unfinished"

    @property
    def run_directory(self) -> Path:
        """The folder of the pid files."""
        return self.data_dir / "run"


def flag_of(variable: str) -> str:
    """The flag that sets the same: ``--data-dir`` for ``BAZAR_DATA_DIR``."""
    return "--" + variable.removeprefix("BAZAR_").lower().replace("_", "-")


def settings_table() -> list[tuple[str, str, str, str]]:
    """(variable, flag, default, meaning) of each setting, as docs/runbook.md shows them."""
    return [
        (
            str(setting.metadata["variable"]),
            flag_of(setting.metadata["variable"]),
            str(setting.metadata["default"]),
            str(setting.metadata["meaning"]),
        )
        for setting in fields(Settings)
    ]


def _read(metadata: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    text = environment.get(metadata["variable"]) or metadata["default"]
    if not text and metadata["read"] in (_service_url, _public_url, _database_url):
        return ""  # completed afterwards, from the other settings
    if not text and metadata["read"] is Path:
        return None
    try:
        return metadata["read"](text)
    except ValueError as error:
        raise BadSetting(metadata["variable"], text, str(error)) from None
