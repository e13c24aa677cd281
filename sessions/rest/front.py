"""REST calls by which the server introduces itself: the root, the OpenAPI document, and its page."""

from __future__ import annotations

from sessions.rest.context import Context, Redirect, Text
from sessions.rest.docs import page
from sessions.rest.metrics import SERVICE
from sessions.rest.models.server import Home, OpenApi


def show_home(context: Context) -> Home | Redirect:
    """What there is, on the stream port. A browser is sent to the dashboard."""
    if "text/html" in context.accept:
        return Redirect(f"{context.dashboard}/")
    return Home(
        service=SERVICE,
        version=context.version,
        endpoints={
            "create_session": "POST /api/sessions/create",
            "list_sessions": "GET /api/sessions",
            "recordings": "GET /api/recordings",
            "metadata": "GET /api/metadata",
            "trials": "GET /api/trials",
            "decode": "POST /decode",
            "health": "GET /health",
            "metrics": "GET /metrics",
            "docs": "GET /docs",
            "openapi": "GET /openapi.json",
            "stream": f"{context.stream}/{{session_code}}",
            "stream_binary": f"{context.stream}/binary/{{session_code}}",
            "dashboard": f"{context.dashboard}/",
        },
    )


def show_openapi(context: Context) -> OpenApi:
    """This description, for programs."""
    return OpenApi.model_validate(context.document)


def show_docs(context: Context) -> Text:
    """This description, for people."""
    return Text(page(context.document, context.api, context.dashboard), "text/html; charset=utf-8")
