"""What is done when a template is compiled shows the same as if each rendering did it."""

import re
from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Flask
from jinja2 import pass_context
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context

from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.cards import Cards
from bazar.frontend.pages.wording import translate
from compiled_templates import compile_anew
from shop_window import Shop

#: What a page makes anew at each look: the key of a form, and the number of a mistake.
NEW_EACH_TIME = re.compile(r'(name="key" value=")[^"]+|(<code>)[0-9a-f]{16,}')
PAGES = (
    *("/", "/books/2", "/books/3", "/search?q=volume&language=en&min_price=100", "/search?q=zzz", "/new", "/about"),
    *("/bestsellers", "/subjects", "/subjects/history", "/basket", "/books/2/basket", "/nothing", "/breaks"),
    *("/orders", "/account", "/account/delete", "/account/links", "/sign-in", "/register"),
    *("/staff", "/staff/orders", "/staff/books?q=volume", "/staff/books/5", "/staff/books/new", "/staff/import"),
    *("/staff/journal", "/staff/journal/orders", "/admin/accounts"),
)


@pytest.fixture
def asked() -> list[str]:
    """What was looked up for a translation."""
    return []


@pytest.fixture
def app(asked: list[str]) -> Flask:
    """Speaks a language in which all texts are as they are."""
    app = Flask(__name__)

    def gettext(message: str) -> str:
        asked.append(message)
        return message

    translate(app, gettext)
    return app


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{{ _("Basket") }}', "Basket"),
        ("<nav aria-label=\"{{ _('Pages') }}\">", "Pages"),
        ("{% trans %}See <a>your orders</a>.{% endtrans %}", "See <a>your orders</a>."),
        ('{{ (_("Price") if price is defined else "none") | upper }}', "Price"),
        ('{% macro field(label=_("Title")) %}{{ label }}{% endmacro %}{{ field() }}', "Title"),
        ('{{ namespace(label=_("Language")).label }}', "Language"),
    ],
)
def test_a_text_without_values_is_said_when_its_template_is_compiled(
    app: Flask, asked: list[str], source: str, message: str
) -> None:
    template = app.jinja_env.from_string(source)
    assert asked == [message]
    before = template.render()
    translate(app, lambda text: f"⟦{text}⟧")
    assert template.render() == before


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{ _("%(n)s left", n=3) }}', "3 left"),
        ('{{ _("by %(name)s", name="<Ann>") }}', "by &lt;Ann&gt;"),
        ('{{ _("100 %% of %(n)s", n=3) }}', "100 % of 3"),
        ('{{ _("100 %% cotton") }}', "100 % cotton"),
        ("{% trans %}100 % cotton{% endtrans %}", "100 % cotton"),
        ("{% trans n=3 %}{{ n }} % cotton{% endtrans %}", "3 % cotton"),
        ('{{ _("<b>new</b> &amp; old") }}', "<b>new</b> &amp; old"),
        ("<a title=\"{{ _('to &quot;it&quot;') }}\">", '<a title="to &quot;it&quot;">'),
        ('{% macro m(label) %}<i>{{ label }}</i>{% endmacro %}{{ m(_("<b>a</b>")) }}', "<i><b>a</b></i>"),
        ('{% macro m() %}<i>{{ caller() }}</i>{% endmacro %}{% call m() %}{{ _("a") }}{% endcall %}', "<i>a</i>"),
        ('{% set heading = _("<b>a</b>") %}{{ heading }}', "<b>a</b>"),
        ('{{ _("<b>a</b>") if 1 else _("c") }}', "<b>a</b>"),
        ('{{ {"x": _("<b>a</b>"), "y": "<i>"}["x"] }}', "<b>a</b>"),
        ('{% for label in [_("<b>a</b>"), "<i>"] %}{{ label }}{% endfor %}', "<b>a</b>&lt;i&gt;"),
        ('{{ _("<b>a</b>") ~ " <i>" }}', "<b>a</b> &lt;i&gt;"),
        ('{{ _("<b>a</b>") + " <i>" }}', "<b>a</b> &lt;i&gt;"),
        ('{{ [_("<b>a</b>"), "<i>"] | join(", ") }}', "<b>a</b>, &lt;i&gt;"),
        ('{{ _("<b>a</b>") | upper }}', "<B>A</B>"),
        ('{% if _("a") == "a" %}same{% endif %}', "same"),
        ('{{ _("%(n)s left", **{"n": 3}) }}{{ _(*["b"]) }}', "3 leftb"),
    ],
)
def test_a_text_is_shown_as_if_it_were_said_at_each_rendering(app: Flask, source: str, expected: str) -> None:
    said = app.jinja_env.from_string(source).render()
    app.jinja_env.code_generator_class = CodeGenerator
    assert [said, app.jinja_env.from_string(source).render()] == [expected, expected]


class Told(Context):
    """Has what is called through it told."""

    def call(self, function: Callable[..., object], *args: object, **values: object) -> object:
        self["told"].append(function)
        return super().call(function, *args, **values)


def arguments(*args: object, **values: object) -> str:
    return f"{args} {values}"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("f()", "() {}"),
        ("f(1, x=2)", "(1,) {'x': 2}"),
        ("f(1, *[2], x=3, **{'y': 4})", "(1, 2) {'x': 3, 'y': 4}"),
        ("f(1, class=2)", "(1,) {'class': 2}"),
        ("f(f(x=1))", "(\"() {'x': 1}\",) {}"),
        ("dict([], a=1)", "{'a': 1}"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{call}", "{{% for _one in [1] %}}{call}{{% endfor %}}", "{{% block b %}}{call}{{% endblock %}}"]
)
def test_a_function_of_ours_is_called_directly(app: Flask, call: str, expected: str, around: str) -> None:
    app.jinja_env.globals["f"] = arguments
    app.jinja_env.context_class = Told
    told: list[object] = []
    source = around.format(call=f"{{{{ ({call}) | string | safe }}}}")
    assert (app.jinja_env.from_string(source).render(told=told), told) == (expected, [])


def test_a_function_that_wants_the_context_has_it(app: Flask) -> None:
    @pass_context
    def place(context: Context, told: str) -> str:
        return f"{told} {context['place']}"

    class Place:
        @pass_context
        def __call__(self, context: Context, told: str) -> str:
            return f"{told} {context['place']}"

    app.jinja_env.globals.update(function=place, made=Place())
    template = app.jinja_env.from_string('{{ function("at") }}, {{ made("in") }}')
    assert template.render(place="Ghent") == "at Ghent, in Ghent"


def test_a_macro_may_have_the_name_of_a_function(app: Flask) -> None:
    app.jinja_env.globals["f"] = arguments
    source = '{% macro f(a, b="<") %}<i>{{ a }}{{ b }}</i>{% endmacro %}{{ f("&") }}'
    assert app.jinja_env.from_string(source).render() == "<i>&amp;&lt;</i>"


def test_a_function_may_be_called_with_a_block(app: Flask) -> None:
    app.jinja_env.globals["framed"] = lambda caller: f"[{caller()}]"
    assert app.jinja_env.from_string("{% call framed() %}<b>{% endcall %}").render() == "[<b>]"


def test_pages_are_the_same_as_jinja_compiles_them(shop: Shop) -> None:
    boss = shop.colleague("boss@example.org", Role.ADMIN)  # may see all pages
    assert boss.buy(5).status_code == 303
    boss.put(2)
    readers = {"guest": shop.reader(), "customer": shop.customer(), "boss": boss}
    for reader in readers.values():
        reader.get("/books/2/basket")  # a browser that has a token keeps it

    def looks() -> dict[tuple[str, str], tuple[int, str]]:
        compile_anew(shop.app)
        cards = Cards()  # that have drawn nothing yet
        shop.app.jinja_env.globals.update(card_of=cards.card_of, line_of=cards.line_of)
        answers = {(who, path): reader.get(path) for who, reader in readers.items() for path in PAGES}
        return {key: (answer.status_code, NEW_EACH_TIME.sub(r"\1\2", answer.text)) for key, answer in answers.items()}

    ours = looks()
    seen = {path for (_, path), (status, _) in ours.items() if status == HTTPStatus.OK}
    assert seen == set(PAGES) - {"/nothing", "/breaks"}
    shop.app.jinja_env.code_generator_class = CodeGenerator
    assert ours == looks()
