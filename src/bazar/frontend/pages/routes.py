"""The shop window: pages of HTML without a script, over the same use cases as the API."""

from datetime import datetime

from flask import Blueprint, Flask
from jinja2 import StrictUndefined

from bazar.frontend.domain.money import price_text, times
from bazar.frontend.pages.assets import Assets
from bazar.frontend.pages.browse import add_browse_pages
from bazar.frontend.pages.buying import add_buying_pages
from bazar.frontend.pages.covers import cover_of
from bazar.frontend.pages.errors import explain_errors
from bazar.frontend.pages.my_orders import add_order_pages
from bazar.frontend.pages.people import add_people_pages
from bazar.frontend.pages.positions import keep_positions
from bazar.frontend.pages.protection import protect
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.ports import Catalog, Orders


def mount_pages(app: Flask, catalog: Catalog, orders: Orders, accounts: Accounts, *, public_url: str) -> None:
    """Add the pages to the application.

    ``app`` has the converters any_text, item_number and order_id, and renders problems by ``page_or_document``.
    ``public_url``: the shop's address as its customers type it.
    """
    sessions = PageSessions(accounts)
    # Templates lie beside the package of the front-end.
    pages = Blueprint("pages", "bazar.frontend", template_folder="templates")
    sessions.guard(pages)
    protect(pages, public_url)
    keep_positions(pages)
    explain_errors(pages, sessions)
    Assets().mount(pages)
    add_browse_pages(pages, catalog)
    add_buying_pages(pages, catalog, orders, sessions)
    add_order_pages(pages, orders, sessions)
    add_people_pages(pages, accounts, sessions)
    pages.add_app_template_filter(price_text, "price")
    pages.add_app_template_global(times, "times")
    pages.add_app_template_global(cover_of, "cover_of")
    pages.add_app_template_filter(datetime.fromisoformat, "moment")
    app.register_blueprint(pages)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
