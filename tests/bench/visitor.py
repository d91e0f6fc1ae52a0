"""An emulated browser of TPC-W on our pages: one kept connection, its cookies, and a look at every answer."""

import http.client
import random
import re
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from bazar.frontend.pages.wording import order_number
from bench.shares import Deck
from bench.shelves import SoldBook

ANSWER_SECONDS = 20
#: A visit lasts 15 minutes on average and an interaction 7 s (clause 5.3.2): then somebody else comes, without cookies.
INTERACTIONS_A_VISIT = 128
#: Customers who buy for the first time (clause 2.6.3), in a visit that signs in.
NEW_CUSTOMERS = 0.2
MOST_LINES = 10
#: Until the next interaction (clause 5.3.1.1): as long as it takes on average, and at most.
THINK_SECONDS, LONGEST_THINK_SECONDS = 7.0, 70.0
#: A front-end keeps a connection that nobody uses somewhat longer.
KEPT_SECONDS = 20.0
BOOKS_ON_A_LONG_PAGE = 50
#: Staff change the price of every so many-th book, and nobody buys those: a price that changes under a buyer is
#: told to them, which is no failure, but no sale either.
REPRICED = 100
SESSION_COOKIE = "__Host-bazar"
_TOKEN = re.compile(r'name="form_token" value="(\w+)"')
_BUY_FORM = re.compile(r'<form class="basket-page"(.*?)</form>', re.DOTALL)
_FIELD = re.compile(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"')
#: On the basket of who is signed in.
_CAN_BE_BOUGHT = "Buy for"
_ORDER = re.compile(r"^/orders/([^?]+)")


def fields_to_buy(basket_page: str) -> dict[str, str]:
    """What the basket's form sends as it stands; nothing where there is none."""
    form = _BUY_FORM.search(basket_page)
    return dict(_FIELD.findall(form[1])) if form else {}


@dataclass(frozen=True)
class Stage:
    """What all visitors share. ``subjects``: how many books each has. ``staff``: a token."""

    port: int
    ca_file: str
    books: Sequence[SoldBook]
    subjects: Mapping[str, int]
    staff: str

    def tls(self) -> ssl.SSLContext:
        """How a browser connects; many may share it."""
        return ssl.create_default_context(cafile=self.ca_file)


@dataclass(frozen=True)
class Customer:
    """Who the visitor is once that matters. ``session``: the cookie of a sign-in that was made before, or none."""

    email: str
    password: str
    session: str | None


@dataclass
class Tally:
    """What one or several visitors saw."""

    milliseconds: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    orders: int = 0
    cpu_seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in what another one saw."""
        self.milliseconds += other.milliseconds
        self.done += other.done
        self.failures += other.failures
        self.orders += other.orders
        self.cpu_seconds += other.cpu_seconds

    def forget_times(self) -> None:
        """What was done rightly up to now was only to warm up; orders and failures stay."""
        self.milliseconds.clear()
        self.done.clear()


class WrongAnswer(Exception):
    """An answer that is not what the interaction must get."""


class Visitor:
    """One after the other, interactions by their shares. What is not possible yet (buying with an empty basket) is
    owed, and done as soon as it is."""

    def __init__(self, stage: Stage, tls: ssl.SSLContext, customer: Customer, mix: str, seed: int) -> None:
        self._stage = stage
        self._customer = customer
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._deck = Deck(mix, self._chance)
        self._connection = http.client.HTTPSConnection("localhost", stage.port, context=tls, timeout=ANSWER_SECONDS)
        self._owed: deque[str] = deque()
        self._name = f"{seed}-{time.time_ns()}"
        self._registered = 0
        self.tally = Tally()
        self._come_anew()
        self._how: Mapping[str, Callable[[], None]] = {
            "Home": self._home,
            "New Products": self._new,
            "Best Sellers": self._best_sellers,
            "Product Detail": self._detail,
            "Search Request": self._search_request,
            "Search Results": self._search_results,
            "Shopping Cart": self._cart,
            "Customer Registration": self._registration,
            "Buy Request": self._buy_request,
            "Buy Confirm": self._buy_confirm,
            "Order Inquiry": self._inquiry,
            "Order Display": self._display,
            "Admin Request": self._admin_request,
            "Admin Confirm": self._admin_confirm,
        }

    def act(self) -> None:
        """One interaction; a wrong answer is noted as a failure, and somebody else comes."""
        if self._chance.random() < 1 / INTERACTIONS_A_VISIT:
            self._come_anew()
        name = self._next()
        began = time.perf_counter()
        try:
            self._how[name]()
        except (WrongAnswer, OSError, http.client.HTTPException) as error:
            self.tally.failures.append(f"{name}: {error!r}")
            self._connection.close()
            self._come_anew()
        else:
            self.tally.milliseconds.append((time.perf_counter() - began) * 1000)
            self.tally.done[name] += 1

    def think(self) -> float:
        """Draw how many seconds pass until the next interaction. Where that is long, the connection is closed first,
        as the server would do; the next interaction makes another.
        """
        seconds = min(self._chance.expovariate(1 / THINK_SECONDS), LONGEST_THINK_SECONDS)
        if seconds > KEPT_SECONDS:
            self._connection.close()
        return seconds

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _next(self) -> str:
        for _ in range(len(self._owed)):
            name = self._owed.popleft()
            if self._can(name):
                return name
            self._owed.append(name)
        while not self._can(name := self._deck.draw()):
            self._owed.append(name)
        return name

    def _can(self, name: str) -> bool:
        match name:
            case "Buy Request":
                return self._lines > 0 and (self._is_known or self._has_form_to_sign_in)
            case "Buy Confirm":
                return self._buy_form is not None
            case "Order Inquiry":
                return self._is_known
            case "Order Display":
                return self._is_known and self._order_id is not None
            case _:
                return True

    def _come_anew(self) -> None:
        self._cookies: dict[str, str] = {}
        self._token: str | None = None
        self._buy_form: dict[str, str] | None = None
        self._lines = 0
        self._order_id: str | None = None
        self._is_known = self._has_form_to_sign_in = False
        #: Of the account whose orders and baskets are this visitor's; None before the first sign-in.
        self._email: str | None = None

    # What TPC-W calls its interactions, on our pages.

    def _home(self) -> None:
        self._see("/", '<h2 id="new">')

    def _new(self) -> None:
        self._see_long_list("/new")

    def _best_sellers(self) -> None:
        subject = self._chance.choice(tuple(self._stage.subjects))
        page = self._see(f"/bestsellers?subject={quote_plus(subject)}", "Best sellers")
        _expect(page.count('<li class="card">') <= BOOKS_ON_A_LONG_PAGE, "more than fit on a page")

    def _see_long_list(self, path: str) -> None:
        subject, books = self._chance.choice(tuple(self._stage.subjects.items()))
        page = self._see(f"{path}?subject={quote_plus(subject)}", subject)
        shown = page.count('<li class="card">')
        _expect(shown == min(books, BOOKS_ON_A_LONG_PAGE), f"{shown} of {books} books of {subject}")

    def _detail(self) -> None:
        book = self._book()
        self._see(f"/books/{book.item_number}", f">{book.title}</h1>")

    def _search_request(self) -> None:
        self._see("/search", 'role="search"')

    def _search_results(self) -> None:
        book = self._book()
        if self._chance.random() < 1 / 2:
            self._see(f"/search?{urlencode({'author': book.authors[0]})}", f'<p class="by">{book.authors[0]}')
        else:
            self._see(f"/search?{urlencode({'q': book.title})}", f">{book.title}</a>")

    def _cart(self) -> None:
        if self._customer.session is not None and not self._is_known:
            self._cookies[SESSION_COOKIE] = self._customer.session
            self._is_known = True
        # Signed out to sign in anew, one begins another basket, which joins that of the account.
        if self._lines >= MOST_LINES and (self._is_known or self._email is None):
            self._see("/basket", 'action="/basket/remove"')
            return
        book = self._book()
        path = f"/books/{book.item_number}/basket"
        if self._token is None:
            self._see(path, book.title)
        self._send(path, {"quantity": "1"}, f'href="/books/{book.item_number}"')
        self._lines += 1

    def _registration(self) -> None:
        path, must_hold = "/sign-in?next=/basket", 'name="password"'
        if self._customer.session is not None:
            self._ask("GET", path, None, {}, must_hold)
            return
        # TPC-W asks who buys anew each time; a browser that is signed in would not see the form.
        self._cookies.pop(SESSION_COOKIE, None)
        self._is_known, self._has_form_to_sign_in = False, True
        self._buy_form = None
        self._see(path, must_hold)

    def _buy_request(self) -> None:
        page = self._see("/basket", _CAN_BE_BOUGHT) if self._is_known else self._sign_in()
        self._buy_form = fields_to_buy(page)
        _expect(bool(self._buy_form), "no form to buy")

    def _sign_in(self) -> str:
        is_new = self._email is None and self._chance.random() < NEW_CUSTOMERS
        self._is_known, self._has_form_to_sign_in = True, False
        if is_new:
            self._registered += 1
            self._email = f"new-{self._name}-{self._registered}@example.org"
        # Later in the visit it is the same person again: what was put in before is in that account's basket.
        self._email = self._email or self._customer.email
        known = {"email": self._email, "password": self._customer.password, "next": "/basket"}
        if is_new:
            return self._send("/register", {**known, "name": "Ann Reader"}, _CAN_BE_BOUGHT)
        return self._send("/sign-in", known, _CAN_BE_BOUGHT)

    def _buy_confirm(self) -> None:
        form, self._buy_form = self._buy_form or {}, None
        self._send("/basket/buy", form, "Thank you")
        self.tally.orders += 1
        self._lines = 0

    def _inquiry(self) -> None:
        self._see("/orders", "My orders")

    def _display(self) -> None:
        self._see(f"/orders/{self._order_id}", f"<code>{order_number(self._order_id or '')}</code>")

    def _admin_request(self) -> None:
        number = self._repriced()
        self._ask("GET", f"/api/v1/info/{number}", None, self._as_staff(), f'"item_number":{number}')

    def _admin_confirm(self) -> None:
        amount = self._chance.randint(500, 9999)
        body = f'{{"price":{{"amount":{amount},"currency":"USD"}},"reason":"benchmark"}}'
        path = f"/api/v1/books/{self._repriced()}"
        self._ask("PATCH", path, body, {**self._as_staff(), "Content-Type": "application/json"}, f'"amount":{amount}')

    # How it is done.

    def _book(self) -> SoldBook:
        while (book := self._chance.choice(self._stage.books)).item_number % REPRICED == 0:
            pass
        return book

    def _repriced(self) -> int:
        return REPRICED * self._chance.randint(1, len(self._stage.books) // REPRICED)

    def _as_staff(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._stage.staff}"}

    def _see(self, path: str, must_hold: str) -> str:
        return self._ask("GET", path, None, self._as_browser(), must_hold)

    def _send(self, path: str, fields: Mapping[str, str], must_hold: str) -> str:
        body = urlencode({**fields, "form_token": self._token or ""})
        sent = {**self._as_browser(), "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, body, sent, must_hold)

    def _as_browser(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Accept": "text/html", **({"Cookie": cookies} if cookies else {})}

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str], must_hold: str) -> str:
        self._connection.request(method, path, body, dict(headers))
        response = self._connection.getresponse()
        page = response.read().decode()
        is_browser = "Accept" in headers  # else staff, or a stranger beside the visitor
        if is_browser:
            self._keep_cookies(response.headers.get_all("Set-Cookie") or [])
        if response.status == 303:
            target = response.headers["Location"]
            found = _ORDER.match(target)
            self._order_id = found[1] if found else self._order_id
            return self._ask("GET", target, None, self._as_browser(), must_hold)
        _expect(response.status == 200, f"{response.status} for {method} {path}")
        _expect(must_hold in page, f"no {must_hold!r} in the answer to {method} {path}")
        token = _TOKEN.search(page)
        if token and is_browser:
            self._token = token[1]
        return page

    def _keep_cookies(self, told: Sequence[str]) -> None:
        for cookie in told:
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0]
            if value and "Max-Age=0" not in rest:
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise WrongAnswer(otherwise)
