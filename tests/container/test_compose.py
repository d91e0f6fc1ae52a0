"""compose.yaml and compose.postgres.yaml as an operator uses them: built, opened, sold from, broken, closed.

Where no Docker engine answers, one is started for the test, with its images in a folder that is kept: so
only the first run makes the stand-ins for the base images. BAZAR_TEST_BASE_IMAGE and
BAZAR_TEST_POSTGRES_IMAGE name real ones instead.
tests/container/install.sh installs what is needed. Needs root.
"""

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeVar

import pytest

pytestmark = pytest.mark.container

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(
    os.environ.get("BAZAR_CONTAINER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bazar-containers"
)
PORTS = {"catalog": 8444, "frontend": 8443, "order": 8445}
SERVERS = tuple(PORTS)
PASSWORD = "seven dragons over Amherst"
BOOK = 2

Found = TypeVar("Found")


def until(what: str, condition: Callable[[], Found | None], seconds: float = 60) -> Found:
    """What ``condition`` answers as soon as it is neither None nor False; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def run(*command: str, env: Mapping[str, str], stdin: str = "") -> str:
    """What the command printed; fails with all that it said."""
    done = _completed(command, env, stdin)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout


def succeeds(*command: str, env: Mapping[str, str]) -> bool:
    return _completed(command, env).returncode == 0


def _completed(command: Sequence[str], env: Mapping[str, str], stdin: str = "") -> CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def engine() -> Iterator[dict[str, str]]:
    """The environment in which ``docker compose`` reaches an engine, which is started where none answers."""
    # The shop's settings are this test's alone; the classic builder is the one that every engine has.
    env = {name: text for name, text in os.environ.items() if not name.startswith(("BAZAR_", "COMPOSE_"))}
    env["DOCKER_BUILDKIT"] = "0"
    if not succeeds("docker", "compose", "version", env=env):
        env["DOCKER_CONFIG"] = str(CACHE / "docker")
        assert succeeds("docker", "compose", "version", env=env), "first: tests/container/install.sh"
    if succeeds("docker", "ps", env=env):
        yield env
        return
    with started_engine(env) as running:
        # What a run that was killed left behind starts again with the engine.
        if left := run("docker", "ps", "--all", "--quiet", env=running).split():
            run("docker", "rm", "--force", "--volumes", *left, env=running)
        yield running
        run("docker", "system", "prune", "--force", "--volumes", env=running)


@contextmanager
def started_engine(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    images = CACHE / "engine"
    images.mkdir(parents=True, exist_ok=True)
    # Not under pytest's own folder: the path of a socket has at most 107 characters.
    with (
        tempfile.TemporaryDirectory(prefix="bazar-", ignore_cleanup_errors=True) as folder,
        (Path(folder) / "log").open("wb") as log,
    ):
        here = {**env, "DOCKER_HOST": f"unix://{folder}/docker.sock"}
        places = (f"--data-root={images}", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid")
        daemon = subprocess.Popen(
            ["dockerd", *places, f"--host={here['DOCKER_HOST']}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

        def ready() -> bool:
            assert daemon.poll() is None, Path(log.name).read_text()[-4000:]
            return succeeds("docker", "ps", env=here)

        try:
            until("dockerd answers", ready)
            yield here
        finally:
            daemon.terminate()
            daemon.wait(timeout=60)


def image(kind: str, setting: str, env: Mapping[str, str]) -> str:
    """The tag of the real image where the setting names one, else of a stand-in made here."""
    maker = str(ROOT / "tests/container/stand_in_image.sh")
    return os.environ.get(setting) or run(maker, kind, sys.executable, env=env).strip()


@dataclass
class Shop:
    """One Compose project, spoken to as its operator and its customers do."""

    files: tuple[str, ...]
    env: dict[str, str]
    port: int
    token: str = ""
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def compose(self, *command: str, stdin: str = "") -> str:
        files = [part for file in self.files for part in ("--file", file)]
        return run("docker", "compose", *files, *command, env=self.env, stdin=stdin)

    def up(self) -> None:
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "120")
        except AssertionError as error:
            checks = {service: self.inspect(service)["State"].get("Health") for service in SERVERS}
            said = self.compose("logs", "--tail", "60")
            raise AssertionError(f"{error}\n{said}\n{json.dumps(checks, indent=1)}") from None

    def inspect(self, service: str) -> Any:
        container = self.compose("ps", "--all", "--quiet", service).strip()
        return json.loads(run("docker", "inspect", container, env=self.env))[0]

    def processes(self, service: str) -> list[Path]:
        """The folders under /proc of what runs in the container."""
        top = run("docker", "top", self.inspect(service)["Id"], "-o", "pid", env=self.env)
        return [Path("/proc") / pid for pid in top.split()[1:]]

    def call(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        """Status and JSON of a REST call through the published port, checked against the shop's own CA."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        payload = None if body is None else json.dumps(body)
        with closing(HTTPSConnection("localhost", self.port, timeout=10, context=self.trust)) as connection:
            connection.request(method, f"/api/v1{path}", payload, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def answer(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        """As call, asked again while the shop is away or says that it cannot know yet."""

        def known() -> tuple[int, Any] | None:
            try:
                status, found = self.call(method, path, body, key)
            except (OSError, HTTPException):
                return None
            return None if status == HTTPStatus.SERVICE_UNAVAILABLE else (status, found)

        return until(f"{method} {path} is answered", known)

    def trust_own_ca(self, folder: Path) -> None:
        self.compose("cp", "frontend:/data/certs/ca.pem", str(folder / "ca.pem"))
        self.trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))

    def sign_in(self, email: str) -> None:
        status, session = self.call("POST", "/tokens", {"email": email, "password": PASSWORD})
        assert status == 201, session
        self.token = session["token"]

    def buy(self) -> str:
        """The id of a new order of one book."""
        status, order = self.answer("POST", f"/purchase/{BOOK}", {"quantity": 1}, key=secrets.token_hex(16))
        assert (status, order["status"]) == (201, "confirmed"), order
        assert order["message"].startswith("bought book ")
        return str(order["order_id"])

    def order_ids(self) -> set[str]:
        status, answer = self.answer("GET", "/orders?limit=100")
        assert status == 200, answer
        return {order["order_id"] for order in answer["items"]}

    def quantity(self) -> int:
        return int(self.call("GET", f"/info/{BOOK}")[1]["quantity"])


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def opened(engine: Mapping[str, str], files: tuple[str, ...], folder: Path, **settings: str) -> Iterator[Shop]:
    """A shop of its own, open, with a customer signed in; gone with its volumes at the end."""
    port = free_port()
    env = {
        **engine,
        "COMPOSE_PROJECT_NAME": f"bazar-test-{port}",
        "BAZAR_IMAGE": "bazar-under-test",
        "BAZAR_BASE_IMAGE": image("python", "BAZAR_TEST_BASE_IMAGE", engine),
        "BAZAR_PORT": str(port),
        **settings,
    }
    shop = Shop(files, env, port)
    if succeeds("docker", "image", "inspect", env["BAZAR_IMAGE"], env=env):
        # As for whoever comes for the first time: up alone builds. Its layers stay, so it takes no longer.
        run("docker", "image", "rm", "--force", "--no-prune", env["BAZAR_IMAGE"], env=env)
    try:
        shop.up()
        shop.trust_own_ca(folder)
        account = {"email": "reader@example.org", "password": PASSWORD}
        assert shop.call("POST", "/accounts", account) == (201, {"email": "reader@example.org"})
        shop.sign_in("reader@example.org")
        yield shop
    finally:
        shop.compose("down", "--volumes")


@pytest.fixture(scope="module")
def shop(engine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(engine, ("compose.yaml",), tmp_path_factory.mktemp("sqlite")) as shop:
        yield shop


def test_a_book_is_bought_through_the_published_port(shop: Shop) -> None:
    quantity, orders = shop.quantity(), shop.order_ids()
    order = shop.buy()
    assert shop.order_ids() - orders == {order}
    until("one copy less is shown", lambda: shop.quantity() == quantity - 1, seconds=5)


def test_the_shop_is_three_containers_and_publishes_one_port(shop: Shop) -> None:
    listed = [json.loads(line) for line in shop.compose("ps", "--all", "--format", "json").splitlines()]
    assert sorted(container["Service"] for container in listed) == list(SERVERS)
    published = {
        (container["Service"], port["TargetPort"])
        for container in listed
        for port in container["Publishers"] or []
        if port["PublishedPort"]
    }
    assert published == {("frontend", 8443)}


@pytest.mark.parametrize("service", SERVERS)
def test_a_server_has_no_rights_it_does_not_need(shop: Shop, service: str) -> None:
    container = shop.inspect(service)
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert {mount["Destination"] for mount in container["Mounts"]} == {"/data", "/data/certs"}
    processes = shop.processes(service)
    assert processes
    for process in processes:
        lines = (process / "status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert set(status["Uid"].split()) == {"10001"}
        assert set(status["Gid"].split()) == {"10001"}
        assert int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", SERVERS)
def test_a_killed_server_comes_back_and_the_shop_sells_again(shop: Shop, service: str) -> None:
    orders = shop.order_ids() | {shop.buy()}
    killed = shop.inspect(service)
    # From outside: to the engine a "docker kill" is the operator's wish and no reason to start again.
    os.kill(killed["State"]["Pid"], signal.SIGKILL)
    until(f"{service} runs again", lambda: restarted(shop, service, killed["RestartCount"]))
    assert shop.order_ids() == orders
    assert shop.buy() not in orders


def restarted(shop: Shop, service: str, restarts_before: int) -> bool:
    container = shop.inspect(service)
    return bool(container["RestartCount"] > restarts_before and container["State"]["Running"])


def test_an_admin_account_is_made_by_the_operator(shop: Shop) -> None:
    email = "owner@example.org"
    command = ("bazar", "account", "create", email, "--role", "admin", "--password-stdin")
    shop.compose("exec", "-T", "frontend", *command, stdin=PASSWORD + "\n")
    customer = shop.token
    try:
        shop.sign_in(email)
        assert shop.call("GET", "/accounts/me")[1]["role"] == "admin"
    finally:
        shop.token = customer


def test_new_certificates_are_taken_up_by_the_running_servers(shop: Shop) -> None:
    def shown(service: str, port: int) -> str:
        script = f"import ssl; print(ssl.get_server_certificate(('{service}', {port})))"
        return shop.compose("exec", "-T", "frontend", "python", "-c", script)

    before = {service: shown(service, port) for service, port in PORTS.items()}
    starts = {service: shop.inspect(service)["State"]["StartedAt"] for service in SERVERS}
    shop.compose("exec", "-T", "frontend", "bazar", "certs", "rotate")
    shop.compose("kill", "--signal", "HUP")
    until("all show another", lambda: all(shown(service, PORTS[service]) != before[service] for service in PORTS))
    shop.buy()
    assert {service: shop.inspect(service)["State"]["StartedAt"] for service in SERVERS} == starts


def test_orders_outlive_the_containers(shop: Shop) -> None:
    orders = shop.order_ids() | {shop.buy()}
    shop.compose("stop")
    exits = {service: shop.inspect(service)["State"]["ExitCode"] for service in SERVERS}
    assert exits == dict.fromkeys(SERVERS, 0), "a server did not end by itself when it was asked to"
    shop.compose("down")
    shop.up()
    assert shop.order_ids() == orders


def test_an_order_is_found_in_postgresql(engine: dict[str, str], tmp_path: Path) -> None:
    names = ("POSTGRES", "FRONTEND", "CATALOG", "ORDER")
    passwords = {f"BAZAR_{name}_PASSWORD": secrets.token_hex(16) for name in names}
    postgres = image("postgres", "BAZAR_TEST_POSTGRES_IMAGE", engine)
    files = ("compose.yaml", "compose.postgres.yaml")
    with opened(engine, files, tmp_path, BAZAR_POSTGRES_IMAGE=postgres, **passwords) as shop:
        order = shop.buy()
        query = f"SELECT outcome FROM decisions WHERE order_id = '{order}'"  # noqa: S608 - from the shop
        psql = ("exec", "-T", "postgres", "psql", "--no-psqlrc", "--tuples-only", "--no-align")
        owner = "user=postgres dbname=bazar_order"
        assert shop.compose(*psql, owner, "--command", query).strip() == "confirmed"
        assert shop.order_ids() == {order}
        login = f"host=127.0.0.1 user=bazar_catalog password={passwords['BAZAR_CATALOG_PASSWORD']}"
        assert shop.compose(*psql, f"{login} dbname=bazar_catalog", "--command", "SELECT 1").strip() == "1"
        with pytest.raises(AssertionError, match="permission denied for database"):
            shop.compose(*psql, f"{login} dbname=bazar_order", "--command", "SELECT 1")
