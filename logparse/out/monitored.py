"""Reads what Camptocamp's addon monitoring_log_requests tells of a request, in the JSON of its log line."""

from typing import Any

import msgspec


class Told(msgspec.Struct, frozen=True):
    """db, model, model_method: "" where it tells none. micros: how long the user waited, microseconds."""

    db: str
    model: str
    model_method: str
    micros: int


class _Info(msgspec.Struct):
    # Up to 11.0 the model stands by itself; from 12.0 in the request's parameters, and the database in the
    # session (camptocamp/odoo-cloud-platform, monitoring_log_requests/models/ir_http.py).
    duration: Any = None
    db: Any = None
    model: Any = None
    model_method: Any = None
    params: Any = None
    session: Any = None


_decode = msgspec.json.Decoder(_Info).decode


def told(text: str) -> Told | None:
    """What the message tells; None where it is not of the addon's form."""
    try:
        info = _decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(info.duration, float | int) or not 0 <= info.duration < 1e9:
        return None
    params = info.params if isinstance(info.params, dict) else {}
    session = info.session if isinstance(info.session, dict) else {}
    model = _text(info.model) or _text(params.get("model"))
    method = _text(info.model_method) or _text(params.get("method"))
    return Told(
        _text(info.db) or _text(session.get("db")),
        model,
        method if model else "",
        round(info.duration * 1_000_000),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
