"""Pushes to Loki over HTTP: one kept connection, one request at a time.

The standard library's client is enough for one POST to one place, and adds nothing to install.
"""

import base64
import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from logparse.out.endpoint import Endpoint, EndpointError, reason
from logparse.out.outbox import Answer

_CLOSING_SECONDS = 0.3
_MOST_TEXT = 1 << 16  # bytes of an answer that are read


class Courier:
    """Carries one push at a time, in a thread of its own, so that whoever gives it can do other things.

    ready: called in that thread when an answer is there. close() cuts a request that is under way.
    """

    def __init__(self, endpoint: Endpoint, ready: Callable[[], None]) -> None:
        self.endpoint = endpoint
        self.busy = False
        self._ready = ready
        self._answer: Answer | None = None
        self._body: bytes | None = None
        self._given = threading.Event()
        self._closed = False
        self._connection: http.client.HTTPConnection | None = None
        self._prefix = ""  # of the path, where a proxy is asked
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name="logparse-push", daemon=True)
        self._thread.start()

    def send(self, body: bytes) -> None:
        """Push this; only while not busy."""
        self.busy = True
        self._body = body
        self._due = time.monotonic() + 3 * self.endpoint.timeout
        self._given.set()

    def answer(self) -> Answer | None:
        """What came of the push, once; None while it is under way. Cuts one that takes far too long."""
        answer, self._answer = self._answer, None
        if answer is not None:
            self.busy = False
        elif self.busy and time.monotonic() > self._due:
            self._cut()
        return answer

    def close(self) -> None:
        """Carry nothing more; a connection that is being made is not waited for."""
        self._closed = True
        self._given.set()
        self._cut()
        self._thread.join(_CLOSING_SECONDS)

    def _cut(self) -> None:
        connection = self._connection
        sock = connection.sock if connection is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while True:
            self._given.wait()
            self._given.clear()
            if self._closed:
                self._forget()
                return
            body, self._body = self._body, None
            if body is not None:
                self._answer = self._push(body)
                self._ready()

    def _push(self, body: bytes) -> Answer:
        where = f"{self.endpoint.host}:{self.endpoint.port}"
        try:
            return self._post(body)
        except EndpointError as error:
            text = str(error)
        except TimeoutError:
            text = f"{where} did not answer in {self.endpoint.timeout:g} s"
        except ssl.SSLCertVerificationError as error:
            text = f"the certificate of {where} is not trusted ({error.verify_message}): see --ca-file"
        except ssl.SSLError as error:
            text = f"no TLS connection to {where} ({reason(error)})"
        except socket.gaierror as error:
            text = f"there is no host {self.endpoint.host!r} ({error.strerror})"
        except OSError as error:
            text = f"{where} cannot be reached ({reason(error)})"
        except (http.client.HTTPException, ValueError) as error:
            text = f"{where} does not speak HTTP, or broke off ({type(error).__name__})"
        self._forget()
        return Answer(0, text)

    def _post(self, body: bytes) -> Answer:
        endpoint = self.endpoint
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": "logparse",
        }
        if endpoint.tenant is not None:
            headers["X-Scope-OrgID"] = endpoint.tenant
        if (login := endpoint.login.header()) is not None:
            headers["Authorization"] = login
        response = self._response(body, headers)
        text = response.read(_MOST_TEXT).decode(errors="replace")
        if not response.isclosed():
            self._forget()
        for secret in endpoint.login.secrets():
            text = text.replace(secret, "…")
        return Answer(response.status, text.strip(), _seconds(response.headers.get("Retry-After")))

    def _response(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        kept = self._connection
        if kept is not None:
            try:
                return self._ask(kept, body, headers)
            except (ConnectionError, http.client.BadStatusLine):
                # It was closed in the meantime. What had arrived all the same is known again by Loki.
                self._forget()
        self._connection, self._prefix = _connect(self.endpoint)
        return self._ask(self._connection, body, headers)

    def _ask(
        self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        connection.request("POST", self._prefix + self.endpoint.path, body, headers)
        return connection.getresponse()

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _connect(endpoint: Endpoint) -> tuple[http.client.HTTPConnection, str]:
    """A connection, by the proxy that the environment names, and what stands before the path then."""
    scheme = "https" if endpoint.tls is not None else "http"
    proxy = getproxies().get(scheme)
    if not proxy or endpoint.local or proxy_bypass(endpoint.host):
        return _direct(endpoint, endpoint.host, endpoint.port), ""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme != "http":
        raise EndpointError(f"the proxy that {scheme}_proxy names is no http://HOST:PORT")
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection = _direct(endpoint, host, port or 80)
    if endpoint.tls is not None:
        connection.set_tunnel(endpoint.host, endpoint.port, headers)
        return connection, ""
    if headers:
        raise EndpointError("a proxy with a login is used for https only")
    return connection, f"http://{endpoint.host}:{endpoint.port}"


def _direct(endpoint: Endpoint, host: str, port: int) -> http.client.HTTPConnection:
    if endpoint.tls is not None:
        return http.client.HTTPSConnection(host, port, timeout=endpoint.timeout, context=endpoint.tls)
    return http.client.HTTPConnection(host, port, timeout=endpoint.timeout)


def _seconds(value: str | None) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
