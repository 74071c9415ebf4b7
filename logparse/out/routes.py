"""The template of a request's path: one of few, whatever clients ask for."""

import re
from typing import Literal, NamedTuple

OTHER = "other"
"""The route of what no controller of Odoo, or of its common addons, is known for."""

STATIC = "/{module}/static/*"
IMAGE = "/web/image/*"
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"})
"""Other methods of HTTP are `other`."""


class Route(NamedTuple):
    """template: the route's name. model, model_method: where the path names them, else "".

    learned: the template was made of the path's own words, so that there may be many of them. scope: which
    other paths surely have the same route: those that begin with the same two words (`top`), or differ in
    what is no plain word alone (`words`); "" for none.
    """

    template: str
    model: str = ""
    model_method: str = ""
    learned: bool = False
    scope: Literal["", "top", "words"] = ""


# Routes that stand for themselves (Odoo 8.0 to 19.0: web, bus, base, http_routing, website; queue_job).
_PATHS = """
    / /web /odoo /web/login /web/login/totp /web/signup /web/reset_password /web/health /web/become
    /web/dataset/call /web/dataset/call_kw /web/dataset/call_button /web/dataset/search_read
    /web/dataset/load /web/dataset/exec_workflow /web/dataset/resequence
    /web/action/load /web/action/run /web/action/load_breadcrumbs
    /web/session/authenticate /web/session/get_session_info /web/session/logout /web/session/destroy
    /web/session/check /web/session/modules /web/session/account /web/session/identity
    /web/view/add_custom /web/view/edit_custom /web/manifest.webmanifest /web/service-worker.js
    /web/domain/validate /web/model/get_definitions /web/pivot/export_xlsx /web/pivot/check_xlwt
    /jsonrpc /xmlrpc/common /xmlrpc/object /xmlrpc/db /xmlrpc/report
    /xmlrpc/2/common /xmlrpc/2/object /xmlrpc/2/db /xmlrpc/2/report
    /longpolling/poll /longpolling/im_status /longpolling/health /longpolling/send
    /websocket /websocket/health /websocket/peek_notifications /websocket/update_bus_presence
    /websocket/on_closed /bus/websocket_worker_bundle /bus/get_model_definitions
    /bus/has_missed_notifications /bus/get_autovacuum_info
    /queue_job/runjob /queue_job/session /queue_job/create_test_job /connector/runjob /connector/session
    /report/download /favicon.ico /robots.txt /sitemap.xml
    """
_EXACT = frozenset(_PATHS.split())
# Everything below these is one route.
_FOLDED = {
    "/web/image": IMAGE,
    "/website/image": IMAGE,
    "/web/binary/company_logo": IMAGE,
    "/logo": IMAGE,
    "/logo.png": IMAGE,
    "/web_editor/image": IMAGE,
    "/web/content": "/web/content/*",
    "/web/binary": "/web/binary/*",
    "/web/assets": "/web/assets/*",
    "/web/bundle": "/web/assets/*",
    "/web/css": "/web/assets/*",
    "/web/js": "/web/assets/*",
    "/web/qweb": "/web/webclient/*",
    "/web/webclient": "/web/webclient/*",
    "/web/database": "/web/database/*",
    "/web/export": "/web/export/*",
    "/web/static": STATIC,
    "/report/html": "/report/html/*",
    "/report/pdf": "/report/pdf/*",
    "/report/text": "/report/text/*",
    "/report/barcode": "/report/barcode/*",
    "/json/1": "/json/1/*",
    "/json/2": "/json/2/*",
    "/odoo": "/odoo/*",
}
# Of which not everything below is that route.
_SHADOWED = frozenset({"/web/binary", "/json/2"})
# The first words of other routes, of which the rest is learned.
_WORDS = """
    account api appointment auth_oauth auth_passkey auth_totp base_import base_setup blog board bus calendar
    chat contactus customers digest discuss documents event events exchange fleet forum google_account
    google_calendar google_drive groups helpdesk html_editor hr hr_attendance hw_drivers hw_posbox_homepage
    hw_proxy im_livechat iot jobs knowledge livechat longpolling mail mailing maintenance mass_mailing
    microsoft_account microsoft_calendar mrp my onboarding partners payment planning point_of_sale portal pos
    pos-self-order pos_self_order product product_configurator profile project purchase r rating report sale
    sale_product_configurator scoped_app shop sign slides snailmail social spreadsheet stock survey theme
    timesheets unsplash web web_editor web_studio web_tour web_unsplash website website_sale websocket
    """
_KNOWN = frozenset(_WORDS.split())
MODEL = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*", re.ASCII)
"""The name of a model."""

_CALL = re.compile(
    rf"(/web/dataset/call_kw|/web/dataset/call_button|/json/2)/({MODEL.pattern})/([A-Za-z_]\w*)", re.ASCII
)
_STATIC = re.compile(r"/[a-z][a-z0-9_]*/static(?:/|\Z)", re.ASCII)
_LANGUAGE = re.compile(r"/[a-z]{2,3}(?:_[A-Z]{2,3})?(?:@[a-z]+)?(?=/)", re.ASCII)
_WORD = re.compile(r"[a-z][a-z_\-]{0,30}", re.ASCII)
_NO_WORD = re.compile(rb"/[^/]*[^a-z_\-/][^/]*")
_DEEPEST = 4


def route(path: str, *, found: bool = True) -> Route:
    """The route of a request's path, without its query.

    found: whether Odoo knew the path; what it did not know is no template to be learned.
    """
    if len(path) > 1 and path[-1] == "/":
        path = path.rstrip("/") or "/"
    made = _template(path, found)
    if made is None and (language := _LANGUAGE.match(path)) is not None:
        made = _template(path[language.end() :], found)
        return Route(OTHER) if made is None else made._replace(scope="")
    return made or Route(OTHER)


def _template(path: str, found: bool) -> Route | None:
    if path in _EXACT:
        return Route(path)
    if _STATIC.match(path):
        return Route(STATIC, scope="top")
    call = _CALL.fullmatch(path)
    if call is not None:
        return Route(call[1] + "/{model}/{method}", call[2], call[3])
    words = path.split("/", _DEEPEST + 1)
    if words[0] or len(words) < 2:
        return None
    top = "/".join(words[:3])
    if top in _FOLDED:
        longer = _FOLDED.get("/".join(words[:4]))
        return Route(longer or _FOLDED[top], scope="top" if top not in _SHADOWED else "")
    if f"/{words[1]}" in _FOLDED:
        return Route(_FOLDED[f"/{words[1]}"], scope="words" if _WORD.fullmatch(words[1]) else "")
    if words[1] not in _KNOWN:
        return None
    if not found:
        return Route(f"/{words[1]}/*")
    named = [word if _WORD.fullmatch(word) else "{id}" for word in words[2:_DEEPEST] if word]
    more = ["*"] if any(words[_DEEPEST:]) else []
    template = "/".join(["", words[1], *named, *more])
    return Route(template, learned=bool(named), scope="words" if words[1] != "web" else "")


def words_of(path: bytes) -> bytes:
    """The path with `{id}` for what is no plain word: the same for paths that differ in that alone."""
    return _NO_WORD.sub(b"/{id}", path)
