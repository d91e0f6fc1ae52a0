"""The shop window: pages of HTML over the same use cases as the API; each works without a script."""

from flask import Blueprint, Flask
from jinja2 import StrictUndefined

from bazar.frontend.domain.money import times
from bazar.frontend.domain.shop_identity import ShopIdentity
from bazar.frontend.pages.about import add_about_page
from bazar.frontend.pages.account import AccountPages
from bazar.frontend.pages.assets import Assets
from bazar.frontend.pages.basket import BasketPages
from bazar.frontend.pages.basket_cookie import PageBaskets
from bazar.frontend.pages.books import BookPages
from bazar.frontend.pages.browse import Shelves, add_browse_pages
from bazar.frontend.pages.buying import add_buying_pages
from bazar.frontend.pages.cards import Cards
from bazar.frontend.pages.checkout import Checkout
from bazar.frontend.pages.covers import cover_of, small_cover_of
from bazar.frontend.pages.errors import explain_errors
from bazar.frontend.pages.limits import PageLimits
from bazar.frontend.pages.lost_passwords import add_lost_password_pages
from bazar.frontend.pages.my_orders import CustomersTime, MyOrders
from bazar.frontend.pages.paths import Paths
from bazar.frontend.pages.people import add_people_pages
from bazar.frontend.pages.positions import keep_positions
from bazar.frontend.pages.protection import Protected
from bazar.frontend.pages.search import add_search_pages
from bazar.frontend.pages.second_factor import SecondFactorPages
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.pages.staff.book_changes import BookChanges
from bazar.frontend.pages.staff.book_list import add_book_list
from bazar.frontend.pages.staff.book_page import StaffBookPage
from bazar.frontend.pages.staff.chronicle import Chronicle
from bazar.frontend.pages.staff.door import StaffDoor
from bazar.frontend.pages.staff.import_file import ImportPages
from bazar.frontend.pages.staff.journal import add_journal_pages
from bazar.frontend.pages.staff.new_book import add_new_book_pages
from bazar.frontend.pages.staff.orders import StaffOrders
from bazar.frontend.pages.staff.today import add_today_page
from bazar.frontend.pages.staff_accounts import StaffAccountPages
from bazar.frontend.pages.wording import speak, translate
from bazar.frontend.use_cases.baskets import Baskets
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.ports import Catalog, Orders


def mount_pages(
    app: Flask,
    *,
    catalog: Catalog,
    orders: Orders,
    people: People,
    baskets: Baskets,
    customers_time: CustomersTime,
    public_url: str,
    currency: str,
    identity: ShopIdentity,
) -> None:
    """Add the pages to the application.

    ``app`` has the converters any_text, item_number and order_id, and renders problems by ``page_or_document``.
    ``public_url``: the shop's address as its customers type it; ``currency``: what it sells in; ``identity``: who it
    is to them.
    """
    accounts, page_baskets = people.accounts, PageBaskets(baskets)
    sessions = PageSessions(accounts, at_sign_in=page_baskets.join)
    books = BookPages(catalog, public_url)
    basket_pages = BasketPages(page_baskets, catalog, books)
    shelves = Shelves(catalog, orders)
    # Templates lie beside the package of the front-end.
    pages = Blueprint("pages", "bazar.frontend", template_folder="templates")
    sessions.guard(pages)
    page_baskets.show(pages)
    Cards().show(pages)
    door = StaffDoor(sessions)
    door.guard(pages)
    keep_positions(pages)
    speak(pages, identity.time_zone)
    explain_errors(pages, sessions)
    Assets().mount(pages)
    add_browse_pages(pages, shelves)
    add_search_pages(pages, catalog, shelves)
    books.mount(pages)
    add_about_page(pages)
    add_buying_pages(pages, books, orders, sessions)
    basket_pages.mount(pages)
    Checkout(baskets, basket_pages, orders, sessions).mount(pages)
    MyOrders(orders, catalog, basket_pages, sessions, customers_time).mount(pages)
    add_people_pages(pages, accounts, sessions)
    add_today_page(pages, catalog, orders)
    StaffOrders(orders, accounts, door, customers_time.clock, identity.time_zone).mount(pages)
    add_lost_password_pages(pages, people.lost_passwords, sessions, public_url)
    AccountPages(people.own_account, baskets, orders, sessions).mount(pages)
    SecondFactorPages(people.second_factors, sessions, identity.name).mount(pages)
    StaffAccountPages(people.staff_accounts, sessions, public_url).mount(pages)
    add_book_list(pages, catalog)
    add_new_book_pages(pages, catalog, door, currency, customers_time.clock)
    ImportPages(catalog, door, currency).mount(pages)
    chronicle = Chronicle(catalog, accounts)
    add_journal_pages(pages, chronicle, orders, accounts)
    staff_book = StaffBookPage(catalog, chronicle)
    staff_book.mount(pages)
    BookChanges(catalog, orders, staff_book, door, currency).mount(pages)
    pages.add_app_template_global(times, "times")
    app.jinja_env.globals.update(limits=PageLimits(), shop=identity, url_for=Paths(app))
    pages.add_app_template_global(cover_of, "cover_of")
    pages.add_app_template_global(small_cover_of, "small_cover_of")
    translate(app)
    app.register_blueprint(pages)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.wsgi_app = Protected(app.wsgi_app, public_url)  # type: ignore[method-assign]  # as Flask says to
