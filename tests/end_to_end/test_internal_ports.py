"""What gets through the real ports: to the catalog and the order server who may, and nowhere what does harm."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.clock import system_clock
from bazar.chassis.service_token import TokenIssuer
from bazar.chassis.tls import client_context
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER
from shop import API, Shop

#: Ports after that of the front-end.
OFFSET = {FRONTEND: 0, CATALOG: 1, ORDER: 2}
#: One call of each service, and a service that may not make it.
CALLS = [
    (CATALOG, "/books/1", FRONTEND, ORDER),
    (ORDER, "/orders", FRONTEND, CATALOG),
    (CATALOG, "/holds/open", ORDER, FRONTEND),
]
POSTS = {FRONTEND: f"{API}/tokens", CATALOG: "/holds", ORDER: "/orders"}
#: What a client sees of a server that ends the connection: an alert, a reset, or nothing at all.
CUT_OFF = (ssl.SSLError, ConnectionError, http.client.BadStatusLine)
SOON_SECONDS = 5.0
HUNDRED_MEGABYTES = 100 * 1024 * 1024
MEGABYTE = b" " * 1024 * 1024
#: More than one server works on at a time.
CROWD = 40


def certificates(shop: Shop) -> Path:
    return shop.folder / "certs"


def trusting(shop: Shop) -> ssl.SSLContext:
    """Trusts the shop's CA, and shows no certificate."""
    return ssl.create_default_context(cafile=certificates(shop) / "ca.pem")


def with_certificate(shop: Shop, service: str) -> ssl.SSLContext:
    files = service_files(certificates(shop), service)
    return client_context(files.ca, files.certificate, files.key)


@contextmanager
def connected(shop: Shop, service: str, tls: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    name = "localhost" if service == FRONTEND else service
    with (
        socket.create_connection(("127.0.0.1", shop.port + OFFSET[service]), timeout=20) as connection,
        tls.wrap_socket(connection, server_hostname=name) as secured,
    ):
        yield secured


def ask(shop: Shop, service: str, path: str, tls: ssl.SSLContext, token: str | None = None) -> int:
    """The status of a GET; raises one of CUT_OFF where there is none."""
    with connected(shop, service, tls) as connection:
        proof = f"Authorization: Bearer {token}\r\n" if token is not None else ""
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {service}\r\n{proof}Connection: close\r\n\r\n".encode())
        return answer_on(connection)


def answer_on(connection: ssl.SSLSocket) -> int:
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def token_of(folder: Path, caller: str, audience: str) -> str:
    return TokenIssuer(caller, folder, system_clock).token(audience)


@pytest.fixture(scope="module")
def another_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of the same names, of somebody else."""
    folder = tmp_path_factory.mktemp("another-ca")
    ensure_certificates(folder, [LeafSpec(name) for name in (FRONTEND, CATALOG, ORDER, OPERATOR)], system_clock)
    return folder


@pytest.mark.parametrize("service", [CATALOG, ORDER])
@pytest.mark.parametrize("path", ["/books/1", "/orders", "/healthz", "/readyz", "/metrics"])
def test_without_a_certificate_nobody_gets_in(shop: Shop, service: str, path: str) -> None:
    with pytest.raises(CUT_OFF):
        ask(shop, service, path, trusting(shop), token_of(certificates(shop), FRONTEND, service))


@pytest.mark.parametrize("service", [CATALOG, ORDER])
def test_a_certificate_of_another_ca_does_not_get_in(shop: Shop, another_ca: Path, service: str) -> None:
    tls = trusting(shop)
    files = service_files(another_ca, FRONTEND)
    tls.load_cert_chain(files.certificate, files.key)
    with pytest.raises(CUT_OFF):
        ask(shop, service, "/healthz", tls)


@pytest.mark.parametrize("service", [CATALOG, ORDER])
def test_a_certificate_for_tokens_does_not_get_in(shop: Shop, service: str) -> None:
    tls = trusting(shop)
    files = service_files(certificates(shop), FRONTEND)
    tls.load_cert_chain(files.token_certificate, files.token_key)
    with pytest.raises(CUT_OFF):
        ask(shop, service, "/healthz", tls)


@pytest.mark.parametrize("service", [FRONTEND, CATALOG, ORDER])
def test_tls_before_1_3_is_not_spoken(shop: Shop, service: str) -> None:
    tls = with_certificate(shop, FRONTEND)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(CUT_OFF):
        ask(shop, service, "/healthz", tls)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_takes_a_token_of_a_caller_that_the_table_names(
    shop: Shop, another_ca: Path, call: tuple[str, str, str, str]
) -> None:
    service, path, caller, stranger = call
    ours, elsewhere = certificates(shop), ORDER if service == CATALOG else CATALOG
    tls = with_certificate(shop, caller)
    assert ask(shop, service, path, tls, token_of(ours, caller, service)) == 200
    assert ask(shop, service, path, tls, None) == 401
    assert ask(shop, service, path, tls, "nonsense") == 401
    assert ask(shop, service, path, tls, token_of(ours, caller, elsewhere)) == 401
    assert ask(shop, service, path, tls, token_of(another_ca, caller, service)) == 401
    assert ask(shop, service, path, tls, token_of(ours, stranger, service)) == 403
    assert ask(shop, service, path, tls, token_of(ours, OPERATOR, service)) == 403


def test_every_certificate_of_the_shop_may_look_at_health(shop: Shop) -> None:
    for service in (CATALOG, ORDER):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert ask(shop, service, path, with_certificate(shop, OPERATOR)) == 200


@pytest.mark.parametrize("service", [FRONTEND, CATALOG, ORDER])
@pytest.mark.parametrize("length", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
def test_a_body_of_100_megabytes_does_not_hurt(shop: Shop, service: str, length: str) -> None:
    tls = with_certificate(shop, FRONTEND)
    path = POSTS[service]
    before = sum(shop.memory().values())
    head = f"POST {path} HTTP/1.1\r\nHost: {service}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    chunk = f"{len(MEGABYTE):x}\r\n".encode() + MEGABYTE + b"\r\n" if "chunked" in length else MEGABYTE
    with connected(shop, service, tls) as connection:
        connection.sendall(head.encode())
        with suppress(*CUT_OFF):  # the server may end it as soon as it has seen the length
            for _ in range(HUNDRED_MEGABYTES // len(MEGABYTE)):
                connection.sendall(chunk)
            if "chunked" in length:
                connection.sendall(b"0\r\n\r\n")
        grown = sum(shop.memory().values()) - before
        with suppress(*CUT_OFF):
            assert answer_on(connection) in {401, 411, 413}
    assert is_well(shop, tls)
    assert grown < 60, f"{grown:.0f} MB"


@pytest.mark.parametrize("service", [FRONTEND, CATALOG, ORDER])
def test_a_crowd_that_does_not_finish_its_requests_holds_nobody_up(shop: Shop, service: str) -> None:
    tls = with_certificate(shop, FRONTEND)
    path = POSTS[service]
    half = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + '{"email'
    )
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(connected(shop, service, tls)).sendall(half.encode())
        began = time.monotonic()
        assert is_well(shop, tls)
        assert time.monotonic() - began < SOON_SECONDS


def test_a_body_in_chunks_is_refused(shop: Shop) -> None:
    request = (
        f"POST {API}/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )
    with connected(shop, FRONTEND, trusting(shop)) as connection:
        connection.sendall(request.encode())  # all at once: the server may close as soon as it has answered
        assert answer_on(connection) == 411


@pytest.mark.parametrize("body", ["", '{"quantity":1}'])
def test_a_purchase_that_is_cut_short_buys_nothing_and_uses_no_key(shop: Shop, body: str) -> None:
    item, key = add_book(shop, "cut short"), f"cut-{len(body)}"
    token = shop.customer(f"{key}@example.org")
    head = (
        f"POST {API}/purchase/{item} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    with connected(shop, FRONTEND, trusting(shop)) as connection:
        connection.sendall((head + body).encode())
    buyer = shop.client(token)
    with closing(buyer):
        # Had it been taken for whole, the one copy were sold, under this key and another body.
        whole = buyer.call("POST", f"/purchase/{item}", {"quantity": 2}, key=key)
        assert (whole.status, whole.json["lines"][0]["available"]) == (409, 1)


@pytest.mark.parametrize(
    "subject", ["TCP/IP", "a//b", "Po\u00e9sie & \u65e5\u672c\u8a9e", "100 % \U0001f4da", "a?b#c", "..", "+"]
)
def test_a_subject_of_any_characters_arrives_as_it_was_sent(shop: Shop, subject: str) -> None:
    number = add_book(shop, subject)
    client = shop.client()
    with closing(client):
        found = client.call("GET", f"/search/{quote(subject, safe='')}?limit=100").json
        assert number in [book["item_number"] for book in found["items"]]
        assert [book["subjects"] for book in found["items"]] == [[subject]] * found["total"]


def test_a_search_for_10000_characters_is_refused_by_name(shop: Shop) -> None:
    client = shop.client()
    with closing(client):
        for query in ("x" * 10_000, quote("\U0001f4da" * 4_000)):
            answer = client.call("GET", f"/search?q={query}")
            assert (answer.status, answer.json["errors"][0]["field"]) == (422, "q")


@pytest.mark.parametrize("text", ["x" * 2_000, "\U0001f4da" * 2_000])
def test_a_search_for_the_longest_text_is_answered(shop: Shop, text: str) -> None:
    client = shop.client()
    with closing(client):
        assert client.call("GET", f"/search?q={quote(text)}").status == 200
        assert client.call("GET", f"/search/{quote(text)}").status == 200


def add_book(shop: Shop, subject: str) -> int:
    price = {"amount": 4000, "currency": "USD"}
    client = shop.client(shop.staff())
    with closing(client):
        book = {"title": "T", "authors": [], "subjects": [subject], "price": price, "stock": 1}
        return int(client.call("POST", "/books", book).json["item_number"])


def is_well(shop: Shop, tls: ssl.SSLContext) -> bool:
    """Whether all three answer."""
    health = [ask(shop, service, "/healthz", tls) for service in (FRONTEND, CATALOG, ORDER)]
    return health == [200, 200, 200] and ask(shop, FRONTEND, f"{API}/info/1", tls) == 200
