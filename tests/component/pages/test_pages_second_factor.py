"""The second factor: switched on by a code, asked for after the password, each code once, and a way back in."""

import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import segno
from werkzeug.test import TestResponse

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.pages.sessions import SESSION_COOKIE
from shop_window import PASSWORD, Reader, Shop

STAFF = "staff@example.org"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


class Device:
    """What makes the codes."""

    def __init__(self, secret: str, clock: MovableClock) -> None:
        self._totp = pyotp.TOTP(secret)
        self._clock = clock

    def code(self, steps_off: int = 0) -> str:
        return self._totp.at(self._clock() + timedelta(seconds=30 * steps_off))

    def next_code(self) -> str:
        """That of the next half minute, which begins now."""
        self._clock.now += timedelta(seconds=30)
        return self.code()

    def wrong_code(self) -> str:
        right = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


@pytest.fixture
def staff(shop: Shop) -> Reader:
    return shop.colleague(STAFF, Role.STAFF)


@pytest.fixture
def device(staff: Reader, clock: MovableClock) -> Device:
    """A device of the staff's, whose key is in the shop and not switched on yet."""
    assert staff.send(staff.form("/account/second-factor", "/account/second-factor")).status_code == 303
    page = staff.get("/account/second-factor").text
    (key,) = re.findall(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    secret = key.replace(" ", "")
    assert f'href="otpauth://totp/Bazar:staff%40example.org?secret={secret}&amp;issuer=Bazar' in page
    return Device(secret, clock)


@pytest.fixture
def recovery_codes(staff: Reader, device: Device) -> list[str]:
    """Of the staff's account, whose second factor is on."""
    page = staff.send(
        staff.form("/account/second-factor", "/account/second-factor/confirm"), password=PASSWORD, code=device.code()
    )
    assert page.status_code == 200
    return re.findall(r"<li><code>([a-z2-7-]+)</code></li>", page.text)


def session_of(reader: Reader) -> str:
    """What the browser holds."""
    cookie = reader.client.get_cookie(SESSION_COOKIE, "shop.example.org")
    assert cookie
    return cookie.value


def hold(reader: Reader, session: str) -> None:
    """Give a browser the session of another."""
    reader.client.set_cookie(SESSION_COOKIE, session, domain="shop.example.org", secure=True)


def first_step(shop: Shop) -> tuple[Reader, TestResponse]:
    """Somebody who has given the password and sees the form for the code."""
    reader = shop.reader()
    page = reader.sign_in(STAFF)
    assert page.status_code == 200
    assert not reader.is_signed_in()
    return reader, page


def sign_in(shop: Shop, code: str) -> TestResponse:
    reader, page = first_step(shop)
    answer = reader.send(reader.form(page, "/sign-in/code"), code=code)
    assert reader.is_signed_in() is (answer.status_code == 303)
    return answer


def dark_modules(picture: str) -> set[tuple[int, int]]:
    """Column and row of each dark square of a QR code that is drawn as strokes from left to right."""
    (drawn,) = re.findall(r'<path stroke="#000" d="([^"]+)"', picture)
    found, x, y = set(), 0, 0.5
    for absolute, relative, stroke in re.findall(r"M(\S+ \S+?)(?=h)|m(\S+ \S+?)(?=h)|h(\d+)", drawn):
        if absolute or relative:
            right, down = (absolute or relative).split()
            x, y = (int(right), float(down)) if absolute else (x + int(right), y + float(down))
        else:
            found |= {(x + step, int(y)) for step in range(int(stroke))}
            x += int(stroke)
    return found


@pytest.mark.usefixtures("device")
def test_a_telephone_reads_the_key_from_the_page(staff: Reader) -> None:
    page = staff.get("/account/second-factor").text
    (address,) = (unescape(each) for each in re.findall(r'href="(otpauth:[^"]+)"', page))
    (picture,) = re.findall(r'<div class="qr" role="img" aria-label="[^"]+">(<svg.*?</svg>)', page)
    rows = list(segno.make_qr(address).matrix_iter(border=4))
    assert dark_modules(picture) == {(x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark}
    assert "style=" not in picture


def test_an_app_calls_the_codes_by_the_shops_name(tmp_path: Path, clock: MovableClock) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontend.sqlite3")
    for name, in_address, is_drawn in (
        ("Owl & Sons: Books", "otpauth://totp/Owl%20%26%20Sons%20%20Books:one%40example.org?", True),
        ("\N{OWL}" * 200, "otpauth://totp/%F0%9F%A6%89", False),  # too long for any QR code
    ):
        shop = Shop(database, clock, name=name)
        staff = shop.colleague(f"{'one' if is_drawn else 'two'}@example.org", Role.STAFF)
        staff.send(staff.form("/account/second-factor", "/account/second-factor"))
        page = staff.get("/account/second-factor").text
        assert f'href="{in_address}' in page
        assert ('class="qr"' in page) is is_drawn
        assert 'class="key"' in page
    database.close()


def test_it_is_off_until_the_first_code_has_come(shop: Shop, staff: Reader, device: Device) -> None:
    assert shop.reader().sign_in(STAFF).status_code == 303
    form = staff.form("/account/second-factor", "/account/second-factor/confirm")
    assert staff.send(form, password=PASSWORD, code=device.wrong_code()).status_code == 422
    assert shop.reader().sign_in(STAFF).status_code == 303
    without_password = staff.send(form, code=device.code())
    assert without_password.status_code == 422
    assert "That is not your password" in without_password.text
    assert shop.reader().sign_in(STAFF).status_code == 303
    assert staff.send(form, password=PASSWORD, code=device.code()).status_code == 200
    assert shop.reader().sign_in(STAFF).status_code == 200


@pytest.mark.usefixtures("recovery_codes")
def test_the_code_is_asked_after_the_password_and_leads_on(shop: Shop, device: Device) -> None:
    reader = shop.reader()
    page = reader.send(reader.form("/sign-in?next=/books/2", "/sign-in"), email=STAFF, password=PASSWORD)
    sent = reader.send(reader.form(page, "/sign-in/code"), code=device.next_code())
    assert (sent.status_code, sent.headers["Location"]) == (303, "/books/2")
    assert reader.is_signed_in()


def test_switching_it_on_ends_what_the_password_alone_has_opened(shop: Shop, staff: Reader, device: Device) -> None:
    other = shop.reader()
    other.sign_in(STAFF)
    token = shop.accounts.sign_in(STAFF, PASSWORD, SignInKind.TOKEN, "192.0.2.1").secret
    copied = shop.reader()
    hold(copied, session_of(staff))
    assert copied.is_signed_in()
    form = staff.form("/account/second-factor", "/account/second-factor/confirm")
    page = staff.send(form, password=PASSWORD, code=device.code())
    assert staff.is_signed_in()
    assert not other.is_signed_in()
    assert not copied.is_signed_in()
    assert shop.accounts.who_is(token, SignInKind.TOKEN) is None
    assert staff.send(staff.form(page, "/sign-out")).status_code == 303, "its forms are of the new session"


def test_it_is_switched_on_by_a_double_click(shop: Shop, staff: Reader, device: Device) -> None:
    form = staff.form("/account/second-factor", "/account/second-factor/confirm")
    before = session_of(staff)
    staff.send(form, password=PASSWORD, code=device.code())
    second = shop.reader()
    hold(second, before)
    answer = second.send(form, password=PASSWORD, code=device.code())
    assert answer.status_code == 303
    (there,) = parse_qs(urlsplit(answer.headers["Location"]).query)["next"]
    assert "was switched on already" in staff.get(there).text


@pytest.mark.usefixtures("recovery_codes")
def test_a_wrong_password_is_told_before_any_code_is_asked(shop: Shop) -> None:
    page = shop.reader().sign_in(STAFF, "a wrong password")
    assert page.status_code == 422
    assert "No account has this address with this password." in page.text


@pytest.mark.usefixtures("recovery_codes")
def test_a_code_works_once_and_not_those_before_it(shop: Shop, device: Device) -> None:
    assert sign_in(shop, device.code()).status_code == 422, "it switched the factor on, and is used"
    code = device.next_code()
    assert sign_in(shop, code).status_code == 303
    again = sign_in(shop, code)
    assert again.status_code == 422
    assert "it was used before" in again.text
    assert sign_in(shop, device.code(-1)).status_code == 422
    assert sign_in(shop, device.code(1)).status_code == 303


@pytest.mark.usefixtures("recovery_codes")
@pytest.mark.parametrize(("seconds_late", "status"), [(29, 303), (59, 303), (60, 422)])
def test_a_code_is_right_for_one_step_more(
    shop: Shop, device: Device, clock: MovableClock, seconds_late: int, status: int
) -> None:
    code = device.next_code()
    clock.now += timedelta(seconds=seconds_late)
    assert sign_in(shop, code).status_code == status


@pytest.mark.usefixtures("recovery_codes")
@pytest.mark.parametrize("code", ["", " ", "abc", "١٢٣٤٥٦", "0" * 40, "\x00", "\N{GRINNING FACE}"])
def test_what_is_no_code_is_a_wrong_one(shop: Shop, code: str) -> None:
    reader, page = first_step(shop)
    form = reader.form(page, "/sign-in/code")
    answer = reader.post(form.action, {**form.fields, "code": code})
    assert answer.status_code == 422
    assert not reader.is_signed_in()


@pytest.mark.usefixtures("recovery_codes")
def test_a_code_may_be_typed_in_two_groups(shop: Shop, device: Device) -> None:
    code = device.next_code()
    assert sign_in(shop, f"{code[:3]} {code[3:]}").status_code == 303


@pytest.mark.usefixtures("recovery_codes")
def test_after_ten_wrong_codes_none_is_looked_at_for_an_hour(shop: Shop, device: Device, clock: MovableClock) -> None:
    reader, page = first_step(shop)
    form = reader.form(page, "/sign-in/code")
    wrong = [reader.send(form, code=device.wrong_code()) for _ in range(10)]
    assert {answer.status_code for answer in wrong} == {422}
    locked = reader.send(form, code=device.next_code())
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "3570")
    assert "Please wait 60 minutes" in locked.text
    clock.now += timedelta(minutes=59, seconds=30)
    assert sign_in(shop, device.code()).status_code == 303


@pytest.mark.usefixtures("recovery_codes")
def test_the_second_step_ends_after_five_minutes(shop: Shop, device: Device, clock: MovableClock) -> None:
    reader, page = first_step(shop)
    clock.now += timedelta(minutes=5)
    late = reader.send(reader.form(page, "/sign-in/code"), code=device.code())
    assert late.status_code == 422
    assert "That took too long." in late.text
    assert not reader.is_signed_in()


@pytest.mark.usefixtures("recovery_codes")
def test_the_second_step_is_finished_once(shop: Shop, device: Device) -> None:
    reader, page = first_step(shop)
    form = reader.form(page, "/sign-in/code")
    assert reader.send(form, code=device.next_code()).status_code == 303
    thief = shop.reader()
    token = thief.form("/sign-in", "/sign-in").fields["form_token"]
    answer = thief.post(form.action, {**form.fields, "form_token": token, "code": device.next_code()})
    assert answer.status_code == 422
    assert not thief.is_signed_in()


@pytest.mark.usefixtures("recovery_codes")
def test_a_new_password_ends_the_second_step_of_the_old_one(shop: Shop, staff: Reader, device: Device) -> None:
    reader, page = first_step(shop)
    changed = staff.send(
        staff.form("/account", "/account/password"), old_password=PASSWORD, password="seven green umbrellas"
    )
    assert changed.status_code == 303
    assert reader.send(reader.form(page, "/sign-in/code"), code=device.next_code()).status_code == 422


def test_ten_recovery_codes_are_told_once_and_each_works_once(
    shop: Shop, staff: Reader, recovery_codes: list[str]
) -> None:
    assert len(set(recovery_codes)) == 10
    assert recovery_codes[0] not in staff.get("/account/second-factor").text
    assert sign_in(shop, recovery_codes[0].upper().replace("-", " ")).status_code == 303
    assert sign_in(shop, recovery_codes[0]).status_code == 422
    assert sign_in(shop, recovery_codes[1]).status_code == 303
    assert "8 recovery codes are left." in staff.get("/account/second-factor").text


def test_it_is_switched_off_by_a_code_only(
    shop: Shop, staff: Reader, device: Device, recovery_codes: list[str]
) -> None:
    form = staff.form("/account/second-factor", "/account/second-factor/off")
    assert staff.send(form, password=PASSWORD, code=device.wrong_code()).status_code == 422
    assert shop.reader().sign_in(STAFF).status_code == 200
    assert staff.send(form, code=recovery_codes[3]).status_code == 303
    assert shop.reader().sign_in(STAFF).status_code == 303


@pytest.mark.usefixtures("recovery_codes")
def test_what_is_on_is_not_replaced_by_beginning_again(shop: Shop, staff: Reader, device: Device) -> None:
    form = staff.form("/account/second-factor", "/account/second-factor/off")
    assert staff.post("/account/second-factor", form.fields).status_code == 303
    confirmed = staff.post(
        "/account/second-factor/confirm", {**form.fields, "password": PASSWORD, "code": device.next_code()}
    )
    assert confirmed.status_code == 303
    assert "was switched on already" in staff.get(confirmed.headers["Location"]).text
    assert sign_in(shop, device.code()).status_code == 303


def test_customers_have_none(shop: Shop, customer: Reader) -> None:
    assert shop.account_id()
    assert customer.get("/account/second-factor").status_code == 403
    form = customer.form("/account", "/account/name")
    for path in ("/account/second-factor", "/account/second-factor/confirm", "/account/second-factor/off"):
        assert customer.post(path, form.fields).status_code == 403


def test_a_link_for_a_lost_password_does_not_get_around_it(
    shop: Shop, device: Device, recovery_codes: list[str]
) -> None:
    assert recovery_codes
    secret = shop.people.lost_passwords.make_link(STAFF, actor=None)
    shop.people.lost_passwords.use_link(secret, "seven green umbrellas")
    reader = shop.reader()
    page = reader.sign_in(STAFF, "seven green umbrellas")
    assert page.status_code == 200
    assert reader.send(reader.form(page, "/sign-in/code"), code=device.next_code()).status_code == 303
