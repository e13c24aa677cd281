"""Behind a proxy's path: a request as the client sent it to the proxy, and as the application routes it."""

from __future__ import annotations

import copy
from typing import Any

from tornado.httputil import HTTPHeaders, RequestStartLine

from sessions.gate.hosts import Hosts, is_loopback

FORWARDED_HOST, FORWARDED_PROTO = "X-Forwarded-Host", "X-Forwarded-Proto"
FORWARDED_PREFIX = "X-Forwarded-Prefix"


def without_prefix(start_line: RequestStartLine, prefix: str) -> RequestStartLine:
    """The request of an address as it is without the proxy's path; proxies differ in what they strip."""
    target = start_line.path
    rest = target[len(prefix) :]
    if not prefix or not target.startswith(prefix) or rest[:1] not in ("", "/", "?"):
        return start_line
    return start_line._replace(path=rest if rest.startswith("/") else f"/{rest}")


def forwarded(headers: HTTPHeaders, context: Any, hosts: Hosts) -> tuple[HTTPHeaders, Any]:
    """Headers and connection's context with the host and protocol by which the client called the proxy.

    A proxy is believed on this machine alone, and if its own Host header is a name of ours: a page whose
    name was made to point here could send the others. What is not believed is taken away. A proxy that
    tells its path and no host, as Jupyter's does, passes on the client's Host header.
    """
    headers, context = headers.copy(), copy.copy(context)
    host, scheme, prefix = (
        headers.pop(name, "").split(",")[0].strip()
        for name in (FORWARDED_HOST, FORWARDED_PROTO, FORWARDED_PREFIX)
    )
    if is_loopback(str(context.remote_ip)) and hosts.allow(headers.get("Host", "")):
        host = host or (headers["Host"] if prefix else "")
        if host:
            headers["Host"] = headers[FORWARDED_HOST] = host
        if scheme in ("http", "https"):
            context.protocol = scheme
    return headers, context
