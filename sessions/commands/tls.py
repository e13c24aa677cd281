"""Which certificates a command trusts, and what is wrong where it cannot speak TLS with a server."""

from __future__ import annotations

import os
import ssl
from typing import Final
from urllib.parse import urlsplit

PINNED: Final = "PHANTOM_PINNED_CERTIFICATE"
"""Environment variable with the only certificate to trust, in PEM, whatever its name: a server gives its
own to the processes that it starts."""
NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name."""

# OpenSSL's X509_V_ERR_...
NOT_YET_VALID, EXPIRED, OTHER_NAME, OTHER_ADDRESS = 9, 10, 62, 64


def trusted() -> ssl.SSLContext | None:
    """The pinned certificate and no other; None where none is pinned, and the system's are trusted."""
    pinned = os.environ.get(PINNED)
    if not pinned:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # who has this certificate's key is the server, whatever it is called
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    context.load_verify_locations(cadata=pinned)
    return context


def distrust(url: str, error: ssl.SSLCertVerificationError) -> str:
    """Why a server's certificate is not taken, with the way out."""
    host = urlsplit(url).hostname
    if error.verify_code in (OTHER_NAME, OTHER_ADDRESS):
        return (
            f"The certificate at {url} is not for {host}. Give a name that it has with --url, or let it "
            f"be made for {host}."
        )
    if error.verify_code == EXPIRED:
        return f"The certificate at {url} has expired. Renew it, and start the server again."
    if error.verify_code == NOT_YET_VALID:
        return f"The certificate at {url} is not valid yet. Set this machine's clock, or renew it."
    return (
        f"The certificate at {url} is not trusted here. If it is your server's own, name its file: "
        "SSL_CERT_FILE=rig.crt."
    )


def no_tls(url: str) -> str:
    """What to say of a port that answers in plain text."""
    return f"The port at {url} does not speak TLS. Use --url {_other(url)}."


def perhaps_other(url: str, fault: str) -> str:
    """What to say of a port that gives no answer, as one does that is asked with TLS and has none, or the
    other way round.

    Parameters
    ----------
    url : str
    fault : str
        What it does, as a sentence goes on from the address.
    """
    has = "has no certificate" if url.startswith("wss") else "has a certificate"
    return f"{url} {fault}. If the server {has}, use --url {_other(url)}; else see whether it is well."


def _other(url: str) -> str:
    """With TLS what is without it, and the other way round."""
    return url.replace("wss", "ws", 1) if url.startswith("wss") else url.replace("ws", "wss", 1)
