"""Templates of paths: what an administrator asks about has its own, and a client makes none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.out.routes import OTHER, Route, route, words_of

PATHS = {
    "/": "/",
    "/web": "/web",
    "/web/": "/web",
    "/web/login": "/web/login",
    "/web/dataset/call_kw/res.partner/read": "/web/dataset/call_kw/{model}/{method}",
    "/web/dataset/call_button/sale.order/action_confirm": "/web/dataset/call_button/{model}/{method}",
    "/web/dataset/call_kw": "/web/dataset/call_kw",
    "/json/2/res.partner/search_read": "/json/2/{model}/{method}",
    "/json/2/nonsense": "/json/2/*",
    "/json/1/action-5": "/json/1/*",
    "/jsonrpc": "/jsonrpc",
    "/xmlrpc/2/object": "/xmlrpc/2/object",
    "/longpolling/poll": "/longpolling/poll",
    "/websocket": "/websocket",
    "/queue_job/runjob": "/queue_job/runjob",
    "/connector/runjob": "/connector/runjob",
    "/web/static/img/logo.png": "/{module}/static/*",
    "/sale/static/src/x.js": "/{module}/static/*",
    "/web/image": "/web/image/*",
    "/web/image/res.partner/7/avatar_128": "/web/image/*",
    "/web/binary/company_logo": "/web/image/*",
    "/web/binary/upload_attachment": "/web/binary/*",
    "/logo.png": "/web/image/*",
    "/web/content/1234-abcdef/web.assets_common.js": "/web/content/*",
    "/odoo/sales/12/action-7": "/odoo/*",
    "/my/orders/15": "/my/orders/{id}",
    "/fr_FR/shop/desk-4": "/shop/{id}",
    "/fr/web/login": "/web/login",
    "/mail/thread/messages": "/mail/thread/messages",
    "/mail/a/b/c/d": "/mail/a/b/*",
    "/my/8eb07891-f7d0-4a19-8a53-3ffa1694941e": "/my/{id}",
    "/my/mail@example.com": "/my/{id}",
    "/wp-login.php": OTHER,
    "/.env": OTHER,
    "/a/../web/login": OTHER,
    "http://elsewhere/web": OTHER,
    "": OTHER,
    "*": OTHER,
    "/ab" * 10_000: OTHER,
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:60])
def test_templates(path: str) -> None:
    assert route(path).template == PATHS[path]


def test_model_and_method() -> None:
    assert route("/web/dataset/call_kw/res.partner/read")[1:3] == ("res.partner", "read")
    assert route("/json/2/sale.order/search")[1:3] == ("sale.order", "search")
    assert route("/web/dataset/call_kw/Res Partner/read").model == ""


def test_what_odoo_does_not_know_is_no_template() -> None:
    assert route("/shop/made/up", found=False) == Route("/shop/*")
    assert route("/web/login", found=False) == Route("/web/login")


PARTS = """
web image shop my odoo static json 2 fr_FR a.b read desk-4 logo.png dataset call_kw binary company_logo
content orders 7 mail é
"""
words = st.sampled_from(["", "x" * 40, *PARTS.split()])


@given(st.lists(words, max_size=6), st.lists(words, max_size=6))
def test_the_scope_of_a_route_is_as_wide_as_it_says(first: list[str], second: list[str]) -> None:
    one, two = "/" + "/".join(first), "/" + "/".join(second)
    found = route(one)
    if found.scope == "top" and one.split("/")[1:3] == two.split("/")[1:3]:
        assert route(two).template == found.template
    if found.scope == "words" and words_of(one.encode()) == words_of(two.encode()):
        assert route(two).template == found.template
