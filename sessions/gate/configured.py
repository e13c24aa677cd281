"""The gate that the settings ask for."""

from __future__ import annotations

import re
import ssl

from engine.errors import BadSetting
from sessions.gate.audit import Audit
from sessions.gate.hosts import Hosts, is_loopback
from sessions.gate.origins import Origins
from sessions.gate.rate import Rate
from sessions.gate.rules import Rules
from sessions.gate.token import Token
from sessions.settings import Settings


def lacks_token(chosen: Settings) -> bool:
    """Whether one must be made: others can reach the server, and none was given or refused."""
    return chosen.token is None and not chosen.insecure and not is_loopback(chosen.host)


def secret(chosen: Settings, made_token: str | None) -> str | None:
    """The token: what the settings have, or else what was made; None if anybody may come in."""
    return chosen.token.get_secret_value() if chosen.token else made_token


def rules(chosen: Settings, made_token: str | None = None) -> Rules:
    """Who may come in.

    Parameters
    ----------
    chosen : Settings
    made_token : str, optional
        To use where the settings have none.

    Raises
    ------
    BadSetting
        If the audit log cannot be written.
    """
    token = secret(chosen, made_token)
    return Rules(
        Origins((chosen.port, chosen.dashboard_port), chosen.allow_origin),
        Hosts((chosen.host, *chosen.allow_host)),
        Token(token) if token else None,
        Rate(chosen.requests_per_second),
        Audit(chosen.audit_log) if chosen.audit_log else None,
    )


def certificate(chosen: Settings) -> ssl.SSLContext | None:
    """With which both ports speak TLS; None if they do not.

    Raises
    ------
    BadSetting
        If it cannot be used.
    """
    if chosen.certfile is None:
        if chosen.keyfile is not None:
            raise BadSetting(f"--keyfile {chosen.keyfile}: give its certificate with --certfile.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(chosen.certfile, chosen.keyfile, password=lambda: "")
    except OSError as error:
        raise BadSetting(
            f"--certfile {chosen.certfile}: {error.strerror or error}. "
            "Name a certificate and, with --keyfile, its key without a password, both in PEM."
        ) from None
    return context


def certificate_text(chosen: Settings) -> str | None:
    """The server's own certificate, in PEM, without those that vouch for it; None if it has none."""
    if chosen.certfile is None:
        return None
    text = chosen.certfile.read_text("ascii", "replace")
    own = re.search(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", text, re.DOTALL)
    return own[0] if own else None
