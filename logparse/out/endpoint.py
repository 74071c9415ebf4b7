"""Where Loki is, and with what to speak to it: address, certificates, secrets."""

import base64
import ipaddress
import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from logparse.source.error import shown

PATH = "/loki/api/v1/push"
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.%]+")
# What can stand in a header of HTTP.
_ASCII = re.compile(r"[\x20-\x7e]+")


class EndpointError(Exception):
    """What was given for the connection cannot be used; the message is one sentence, and holds no secret.

    option: whose value cannot be used, whatever files and the environment hold; None where it is in these.
    """

    def __init__(self, message: str, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option


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
        held = []
        if self.user is not None:
            held.append(_secret(self.password, self.password_file))
        if self.token is not None or self.token_file is not None:
            held.append(_token(self.token, self.token_file))
        return held

    def header(self) -> str | None:
        """The value of `Authorization`."""
        if self.token is not None or self.token_file is not None:
            return f"Bearer {_token(self.token, self.token_file)}"
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
            f"the address of Loki is no URL ({error}); write it like http://loki:3100", "--loki"
        ) from error
    if "@" in parts.netloc:
        raise EndpointError(
            "a login does not belong into the URL, where `ps` shows it: use --user with --password-file, "
            "or --token-file",
            "--loki",
        )
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise EndpointError(f"{_shown(url)} is no address of Loki; write it like http://loki:3100", "--loki")
    if parts.query or parts.fragment or not re.fullmatch(r"[\x21-\x7e]*", parts.path):
        raise EndpointError(
            f"{_shown(url)}: the address of Loki ends with its path, such as http://loki:3100", "--loki"
        )
    path = parts.path.rstrip("/")
    path = path if path.endswith(PATH) else path + PATH
    context = None
    if parts.scheme == "https":
        context = _tls(ca_file, cert_file, key_file)
    elif ca_file or cert_file or key_file:
        raise EndpointError(
            "certificates are given, and the URL is not https: change it, or leave them out", "--loki"
        )
    if tenant is not None and not _ASCII.fullmatch(tenant):
        raise EndpointError(f"{tenant!r} is no tenant: its name is of printable ASCII characters", "--tenant")
    if login.user is not None and (":" in login.user or not login.user.isprintable()):
        raise EndpointError("the user's name must not hold a colon, nor control characters", "--user")
    login.header()
    return Endpoint(host, port or (443 if context else 80), path, context, login, tenant, timeout)


def _shown(url: str) -> str:
    """A URL without what may be secret in it; of what is none, nothing."""
    return repr(shown(url)) if "://" in url else "this"


def _tls(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    def no_password() -> str:
        raise EndpointError(
            f"{shown(str(key_file or cert_file))} is encrypted: give a key without a password"
        )

    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(
            f"{shown(str(ca_file))} holds no certificates that can be read ({reason(error)}); it is to be PEM"
        ) from error
    if cert_file is None:
        if key_file is not None:
            raise EndpointError(
                "a key without a certificate is of no use: give --cert-file too", "--key-file"
            )
        return context
    try:
        context.load_cert_chain(cert_file, key_file, no_password)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(
            f"{shown(str(cert_file))} and its key cannot be used ({reason(error)}): a pair in PEM is needed"
        ) from error
    return context


def _secret(text: str | None, file: Path | None) -> str:
    what = "the secret in the environment"
    if file is not None:
        what = shown(str(file))
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise EndpointError(f"{what} cannot be read ({reason(error)})") from error
    secret = (text or "").strip("\r\n")
    if not secret or not secret.isprintable():
        raise EndpointError(f"{what} holds no secret of one line")
    return secret


def _token(text: str | None, file: Path | None) -> str:
    token = _secret(text, file)
    if not _ASCII.fullmatch(token):
        raise EndpointError("a token is of ASCII characters")
    return token


def reason(error: Exception) -> str:
    """What the system, or TLS, says of an error; nothing that was given."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    return getattr(error, "strerror", None) or type(error).__name__
