"""Settings: what the environment says, what follows from it, and how a mistake is told."""

import ipaddress
import re
from dataclasses import fields
from datetime import UTC
from pathlib import Path

import pytest

from bazar.settings import BadSetting, Settings, settings_table

DATA = "/srv/bazar"


def read(**variables: str) -> Settings:
    return Settings.from_environment({"BAZAR_DATA_DIR": DATA, **variables})


def test_nothing_set_is_a_shop_on_this_machine_alone() -> None:
    shop = Settings.from_environment({"HOME": "/root", "PATH": "/bin"})
    assert shop.data_dir == Path("var").absolute()
    assert (shop.port, shop.catalog_port, shop.order_port) == (8443, 8444, 8445)
    assert shop.bind_address == "127.0.0.1"
    assert (shop.catalog_url, shop.order_url) == ("https://127.0.0.1:8444", "https://127.0.0.1:8445")
    assert shop.public_url == "https://localhost:8443"
    assert shop.catalog_database_url == f"sqlite:///{shop.data_dir}/catalog.sqlite3"
    assert (shop.sign_ins_per_minute, shop.registrations_per_minute) == (30, 30)
    assert shop.currency == "USD"
    assert shop.sample


def test_addresses_and_databases_follow_from_port_and_folder() -> None:
    shop = read(BAZAR_PORT="9000")
    assert shop.certificates == Path(DATA, "certs")
    assert shop.run_directory == Path(DATA, "run")
    assert shop.order_url == "https://127.0.0.1:9002"
    assert shop.public_url == "https://localhost:9000"
    assert shop.frontend_database_url == f"sqlite:///{DATA}/frontend.sqlite3"


def test_what_is_set_does_not_follow_from_anything() -> None:
    shop = read(
        BAZAR_ORDER_URL="https://order.internal:9443/",
        BAZAR_ORDER_DATABASE_URL="postgresql://bazar:secret@db/orders?sslmode=verify-full",
        BAZAR_PUBLIC_URL="https://books.example.org",
    )
    assert shop.order_url == "https://order.internal:9443"
    assert shop.order_database_url == "postgresql://bazar:secret@db/orders?sslmode=verify-full"
    assert shop.public_url == "https://books.example.org"


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read(BAZAR_PORT="", BAZAR_CURRENCY="", BAZAR_TLS_KEY="") == read()


def test_the_shop_keeps_the_time_of_its_place() -> None:
    assert read().shop_time_zone is UTC
    assert str(read(BAZAR_SHOP_TIME_ZONE="Europe/Berlin").shop_time_zone) == "Europe/Berlin"


def test_a_folder_in_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/reader")
    assert Settings.from_environment({"BAZAR_DATA_DIR": "~/shop"}).data_dir == Path("/home/reader/shop")


def test_completing_twice_is_as_good_as_once() -> None:
    assert read().completed() == read()


def test_proxies_are_addresses_and_networks() -> None:
    assert read(BAZAR_TRUSTED_PROXIES="10.0.0.0/8, ::1,").trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BAZAR_PORT", "0"),
        ("BAZAR_PORT", "65534"),
        ("BAZAR_PORT", "-1"),
        ("BAZAR_PORT", "https"),
        ("BAZAR_PORT", "8443.0"),
        ("BAZAR_PORT", "٨٤٤٣"),
        ("BAZAR_PORT", "²"),
        ("BAZAR_BIND_ADDRESS", "not an address"),
        ("BAZAR_BIND_ADDRESS", "300.1.1.1"),
        ("BAZAR_BIND_ADDRESS", "127.0.0.1:8443"),
        ("BAZAR_CATALOG_URL", "http://catalog:8444"),
        ("BAZAR_CATALOG_URL", "catalog:8444"),
        ("BAZAR_CATALOG_URL", "https://"),
        ("BAZAR_CATALOG_URL", "https://catalog"),
        ("BAZAR_CATALOG_URL", "https://catalog:port"),
        ("BAZAR_CATALOG_URL", "https://catalog:99999"),
        ("BAZAR_CATALOG_URL", "https://catalog:8444/path"),
        ("BAZAR_ORDER_URL", "https://order"),
        ("BAZAR_PUBLIC_URL", "ftp://books.example.org"),
        ("BAZAR_PUBLIC_URL", "https://books.example.org/shop"),
        ("BAZAR_PUBLIC_URL", "https://[::1"),
        ("BAZAR_CATALOG_DATABASE_URL", "mysql://db/catalog"),
        ("BAZAR_ORDER_DATABASE_URL", "orders.sqlite3"),
        ("BAZAR_ORDER_DATABASE_URL", "postgresql://db:port/orders"),
        ("BAZAR_TLS_KEY", "/key.pem"),
        ("BAZAR_TLS_CERTIFICATE", "/certificate.pem"),
        ("BAZAR_TRUSTED_PROXIES", "proxy"),
        ("BAZAR_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("BAZAR_CURRENCY", "usd"),
        ("BAZAR_CURRENCY", "USD\n"),
        ("BAZAR_SAMPLE", "yes"),
        ("BAZAR_SHOP_NAME", "a\nb"),
        ("BAZAR_SHOP_HOURS", "a" * 201),
        ("BAZAR_SHOP_TIME_ZONE", "Europe/Atlantis"),
        ("BAZAR_SHOP_TIME_ZONE", "Europe"),
        ("BAZAR_SHOP_TIME_ZONE", "../etc/passwd"),
        ("BAZAR_SHOP_TIME_ZONE", "/etc/localtime"),
        ("BAZAR_SIGN_INS_PER_MINUTE", "-1"),
        ("BAZAR_SIGN_INS_PER_MINUTE", "²"),
        ("BAZAR_REGISTRATIONS_PER_MINUTE", "1.5"),
        ("BAZAR_CANCEL_WITHIN_MINUTES", "-1"),
        ("BAZAR_CANCEL_WITHIN_MINUTES", "525601"),
        ("BAZAR_CANCEL_WITHIN_MINUTES", "9999999999999"),
        ("BAZAR_THREADS", "0"),
        ("BAZAR_THREADS", "257"),
        ("BAZAR_LOG_FORMAT", "xml"),
        ("BAZAR_LOG_LEVEL", "debug"),
        ("BAZAR_PROT", "8443"),
        ("BAZAR_", "1"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{'BAZAR_TLS_KEY' if 'TLS' in name else name}=.* cannot be used: .+"):
        read(**{name: value})


def test_no_minutes_to_cancel_in_are_not_said_to_be_no_limit() -> None:
    with pytest.raises(BadSetting, match="0 for not at all"):
        read(BAZAR_CANCEL_WITHIN_MINUTES="-1")


def test_the_password_of_a_database_is_not_told() -> None:
    with pytest.raises(BadSetting) as caught:
        read(BAZAR_ORDER_DATABASE_URL="mysql://bazar:open sesame@db/orders")
    assert "sesame" not in str(caught.value)


def test_the_table_names_every_variable_once_with_its_default_and_meaning() -> None:
    table = settings_table()
    assert len({variable for variable, *_ in table}) == len(table) == len(fields(Settings))
    for variable, flag, _, meaning in table:
        assert re.fullmatch("BAZAR(_[A-Z]+)+", variable)
        assert re.fullmatch("-(-[a-z]+)+", flag)
        assert meaning


def test_every_default_can_be_written_out() -> None:
    spelled_out = {variable: default for variable, _, default, _ in settings_table() if variable != "BAZAR_DATA_DIR"}
    assert read(**spelled_out) == read()
