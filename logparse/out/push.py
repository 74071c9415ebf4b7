"""Pushes to Loki over HTTP: one kept connection, one request at a time.

The standard library's client is enough for one POST to one place, and adds nothing to install.
"""

import base64
import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from logparse.out.outbox import Answer
from logparse.source.error import shown

PATH = "/loki/api/v1/push"
_CLOSING_SECONDS = 0.3
_MOST_TEXT = 1 << 16  # bytes of an answer that are read
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.%]+")
_SECRET = re.compile(r"[\x20-\x7e]+")


class EndpointError(Exception):
    """What was given for the connection cannot be used; the message is one sentence, and holds no secret."""


class Login(msgspec.Struct, frozen=True):
    """Where the secrets are. user: of basic authentication. A file is read anew for every push.

    Raises EndpointError where one is read and is missing, empty, or of several lines.
    """

    user: str | None = None
    password: str | None = None
    password_file: Path | None = None
    token: str | None = None
    token_file: Path | None = None

    def __repr__(self) -> str:
        return "Login(…)"

    def secrets(self) -> list[str]:
        """The secrets as they are now."""
        held = [(self.password, self.password_file), (self.token, self.token_file)]
        return [_secret(text, file) for text, file in held if text is not None or file is not None]

    def header(self) -> str | None:
        """The value of `Authorization`."""
        if self.token is not None or self.token_file is not None:
            return f"Bearer {_secret(self.token, self.token_file)}"
        if self.user is not None:
            pair = f"{self.user}:{_secret(self.password, self.password_file)}"
            return f"Basic {base64.b64encode(pair.encode()).decode()}"
        return None


class Endpoint(msgspec.Struct, frozen=True):
    """Where to push. path: with its query. tls: None for plain HTTP. timeout: seconds for one request."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    login: Login = Login()
    tenant: str | None = None
    timeout: float = 10.0

    @property
    def url(self) -> str:
        """As it is shown; it holds no secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def bare(self) -> bool:
        """Whether secrets would go over a network as they are."""
        return self.tls is None and self.login != Login() and not self.local


def endpoint(
    url: str,
    *,
    login: Login = Login(),  # noqa: B008 (frozen)
    tenant: str | None = None,
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
    timeout: float = 10.0,
) -> Endpoint:
    """The endpoint at a URL: that of Loki itself (`http://loki:3100`), or of its push API.

    ca_file: PEM, of whoever signed Loki's certificate; cert_file, key_file: PEM, this client's own.
    Raises EndpointError.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise EndpointError(
            f"the address of Loki is no URL ({error}); write it like http://loki:3100"
        ) from error
    if "@" in parts.netloc:
        raise EndpointError(
            "a login does not belong into the URL, where `ps` shows it: use --user with --password-file, "
            "or --token-file"
        )
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise EndpointError(f"{url!r} is no address of Loki; write it like http://loki:3100")
    if parts.query or parts.fragment or not re.fullmatch(r"[\x21-\x7e]*", parts.path):
        raise EndpointError(f"{url!r}: the address of Loki ends with its path, such as http://loki:3100")
    path = parts.path.rstrip("/")
    path = path if path.endswith(PATH) else path + PATH
    context = None
    if parts.scheme == "https":
        context = _tls(ca_file, cert_file, key_file)
    elif ca_file or cert_file or key_file:
        raise EndpointError("certificates are given, and the URL is not https: change it, or leave them out")
    if tenant is not None and not _SECRET.fullmatch(tenant):
        raise EndpointError(f"{tenant!r} is no tenant: its name is of printable ASCII characters")
    if login.user is not None and (":" in login.user or not login.user.isprintable()):
        raise EndpointError("the user's name must not hold a colon, nor control characters")
    login.header()
    return Endpoint(host, port or (443 if context else 80), path, context, login, tenant, timeout)


def _tls(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    def no_password() -> str:
        raise EndpointError(
            f"{shown(str(key_file or cert_file))} is encrypted: give a key without a password"
        )

    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(
            f"{shown(str(ca_file))} holds no certificates that can be read ({_why(error)}); it is to be PEM"
        ) from error
    if cert_file is None:
        if key_file is not None:
            raise EndpointError("a key without a certificate is of no use: give --cert-file too")
        return context
    try:
        context.load_cert_chain(cert_file, key_file, no_password)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(
            f"{shown(str(cert_file))} and its key cannot be used ({_why(error)}): a pair in PEM is needed"
        ) from error
    return context


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
            text = f"no TLS connection to {where} ({_why(error)})"
        except socket.gaierror as error:
            text = f"there is no host {self.endpoint.host!r} ({error.strerror})"
        except OSError as error:
            text = f"{where} cannot be reached ({_why(error)})"
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
    connection = _direct(endpoint, host, port or 3128)
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


def _secret(text: str | None, file: Path | None) -> str:
    what = "the secret in the environment"
    if file is not None:
        what = shown(str(file))
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise EndpointError(f"{what} cannot be read ({_why(error)})") from error
    secret = (text or "").strip("\r\n")
    if not _SECRET.fullmatch(secret):
        raise EndpointError(f"{what} holds no secret of one line of printable ASCII characters")
    return secret


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


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    return getattr(error, "strerror", None) or type(error).__name__
