"""The CA and what it signs."""

import ssl
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography import x509

from bazar.chassis.certificates import (
    LeafSpec,
    MissingCertificates,
    check_certificates,
    describe,
    ensure_certificates,
    rotate,
    service_files,
    service_uri,
)
from bazar.chassis.tls import UnusableCertificate, check_server_files, client_context

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAVES = (LeafSpec("shop", ("localhost", "127.0.0.1", "::1")), LeafSpec("stock"))
ALL = ("ca", "shop", "shop-token", "stock", "stock-token")


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def make(directory: Path) -> tuple[str, ...]:
    return ensure_certificates(directory, LEAVES, at(NOW))


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix in {".pem", ".key"}}


def test_first_start_makes_all_and_a_second_keeps_it(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    assert make(certs) == ALL
    before = contents(certs)
    assert make(certs) == ()
    assert contents(certs) == before
    assert len(before) == 10


def test_only_the_owner_may_read_keys(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    make(certs)
    assert stat.S_IMODE(certs.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in certs.glob("*.key")} == {0o600}
    assert not list(certs.glob(".*.key.*"))


def test_a_leaf_names_its_service_and_its_addresses(tmp_path: Path) -> None:
    make(tmp_path)
    by_file = {info.file: info for info in describe(tmp_path, at(NOW))}
    assert next(iter(by_file)) == "ca.pem"
    assert by_file["shop.pem"].names == ("shop", service_uri("shop"), "localhost", "127.0.0.1", "::1")
    assert by_file["shop.pem"].days_left == 397
    assert by_file["shop.pem"].subject == "CN=shop"
    assert len(by_file["shop.pem"].fingerprint) == 64


def test_certificates_hold_where_the_clock_is_a_day_behind(tmp_path: Path) -> None:
    make(tmp_path)
    for path in tmp_path.glob("*.pem"):
        assert x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc < NOW - timedelta(days=1)


def test_renewed_when_less_than_30_days_remain(tmp_path: Path) -> None:
    make(tmp_path)
    assert ensure_certificates(tmp_path, LEAVES, at(NOW + timedelta(days=366))) == ()
    assert ensure_certificates(tmp_path, LEAVES, at(NOW + timedelta(days=368))) == ALL[1:]


def test_renewed_when_a_name_is_added(tmp_path: Path) -> None:
    make(tmp_path)
    assert ensure_certificates(tmp_path, [LeafSpec("stock", ("stock.example",))], at(NOW)) == ("stock",)


def test_a_pair_that_does_not_match_is_made_again(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "shop.key").write_bytes((tmp_path / "stock.key").read_bytes())
    (tmp_path / "stock.pem").write_text("damaged")
    assert make(tmp_path) == ("shop", "stock")


def test_rotation_makes_new_leaves_and_token_keys_under_the_same_ca(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    assert rotate(tmp_path, LEAVES, at(NOW)) == ALL[1:]
    after = contents(tmp_path)
    assert {name for name in before if before[name] == after[name]} == {"ca.pem", "ca.key"}


def test_without_the_ca_key_what_is_there_is_used(tmp_path: Path) -> None:
    make(tmp_path)
    for path in [tmp_path / "ca.key", *tmp_path.glob("stock*")]:
        path.unlink()
    shop = LEAVES[:1]
    before = contents(tmp_path)
    assert ensure_certificates(tmp_path, shop, at(NOW + timedelta(days=390))) == ()
    assert contents(tmp_path) == before
    check_certificates(tmp_path, ["shop"])


def test_without_the_ca_key_what_is_missing_is_named(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("ca.key", "stock.pem", "stock-token.key"):
        (tmp_path / name).unlink()
    with pytest.raises(MissingCertificates) as caught:
        make(tmp_path)
    assert caught.value.missing == (tmp_path / "stock.pem", tmp_path / "stock-token.pem")
    with pytest.raises(MissingCertificates, match=r"ca\.key"):
        rotate(tmp_path, LEAVES, at(NOW))


def test_leaves_without_their_ca_get_no_other_ca(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca.key").unlink()
    with pytest.raises(MissingCertificates, match=r"ca\.pem"):
        make(tmp_path)


def test_processes_that_start_together_make_one_ca(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(make, [tmp_path / "certs"] * 4))
    assert sorted(made) == [(), (), (), ALL]
    check_certificates(tmp_path / "certs", ["shop", "stock"])


def test_callers_use_tls_1_3_and_check_names(tmp_path: Path) -> None:
    make(tmp_path)
    files = service_files(tmp_path, "shop")
    context = client_context(files.ca, files.certificate, files.key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_key_that_no_server_takes_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path)
    check_server_files(tmp_path / "shop.pem", tmp_path / "shop.key")
    with pytest.raises(UnusableCertificate, match="key values mismatch"):
        check_server_files(tmp_path / "shop.pem", tmp_path / "stock.key")
    with pytest.raises(UnusableCertificate, match="No such file"):
        check_server_files(tmp_path / "shop.pem", tmp_path / "none.key")
