"""Panel applications whose documents are built off the event loop, each inside a page of our own."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from bokeh.application.handlers.handler import Handler
from bokeh.document import Document
from bokeh.settings import settings
from bokeh.util.warnings import BokehUserWarning
from jinja2 import Template
from panel.config import config
from panel.io.application import Application
from panel.io.model import add_to_doc
from panel.io.resources import LOCAL_DIST, patch_model_css
from panel.io.state import set_curdoc, state
from panel.theme.base import Design, Inherit
from panel.viewable import Viewable

from dashboard.delivery import deliver_all
from sessions.gate.mount import FORWARDED_HOST
from sessions.gate.rules import address_of
from sessions.rest.context import Context

PORT = re.compile(r":\d+$")

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' blob:",  # Panel imports the code of a component from a blob
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",  # Bokeh sets styles from its scripts
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""The browser itself refuses what would leave for another host, and code that is put together in it."""


class DeckDesign(Design):
    """The look of all widgets: that of the page around them, by the CSS variables of its theme."""

    modifiers: ClassVar[dict[type[Viewable], dict[str, Any]]] = {
        Viewable: {"stylesheets": [Inherit, "resources/widgets.css"]}
    }


@dataclass(frozen=True)
class Visit:
    """What a page may depend on.

    Attributes
    ----------
    host : str
        As the browser spelled it, with the port.
    secure : bool
    asked : mapping
        Of the address: the last value of each name.
    proxied : bool
        Whether `host` is that of a proxy.
    address : str, optional
        The visitor's IP address.
    """

    host: str
    secure: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    proxied: bool = False
    address: str | None = None

    def context(self, server: Context) -> Context:
        """The server as this visitor sees it."""
        return replace(
            server,
            host=PORT.sub("", self.host),
            secure=self.secure,
            proxy=self.host if self.proxied else None,
            address=self.address or "",
        )


@dataclass(frozen=True)
class Page:
    """What a visitor gets.

    Attributes
    ----------
    template : Template
        Of the whole page; it embeds the roots by name.
    variables : mapping
        Of the template.
    roots : mapping
        Panel's objects by name.
    status : int
    joined, left : functions, optional
        Called with the document when it is complete, and when it has ended.
    """

    template: Template
    variables: Mapping[str, Any]
    roots: Mapping[str, Viewable] = field(default_factory=dict)
    status: int = 200
    joined: Callable[[Document], None] | None = None
    left: Callable[[], None] | None = None


def application(make: Callable[[Visit], Page]) -> Application:
    """What Panel's server runs; `make` is called in a thread of its own, with the document current."""
    return serving(PageHandler(make))


def serving(handler: Handler) -> Application:
    """What Panel's server runs."""
    deliver_all()
    # BokehJS sends a model back that it was given after the page had loaded; the server keeps its own.
    warnings.filterwarnings("ignore", "reference already known", BokehUserWarning)
    # It would look through all models of every page, on the event loop.
    settings.perform_document_validation.set_value(False)
    return Application(handler)  # type: ignore[no-untyped-call]


class WithPolicy:
    """For Bokeh's pages: the status and the headers that pages of ours have."""

    async def get_session(self) -> Any:
        session = await super().get_session()  # type: ignore[misc]
        status = session.document.template_variables.get("status")
        if status is not None:
            self.set_status(status)  # type: ignore[attr-defined]
            self.set_header("Content-Security-Policy", POLICY)  # type: ignore[attr-defined]
            self.set_header("Referrer-Policy", "no-referrer")  # type: ignore[attr-defined]
            self.set_header("Cache-Control", "no-store")  # type: ignore[attr-defined]
        return session


class PageHandler(Handler):
    """Makes a page's document; all that takes time happens off the event loop."""

    def __init__(self, make: Callable[[Visit], Page]) -> None:
        super().__init__()
        self._make = make
        self._builder = ThreadPoolExecutor(
            1, "pages"
        )  # one at a time: others have the interpreter meanwhile

    async def on_session_created(self, session_context: Any) -> None:
        """Build everything before the document is anybody's."""
        document, visit = session_context._document, visit_of(session_context.request)
        loop = asyncio.get_running_loop()
        self.link(document, await loop.run_in_executor(self._builder, self.build, document, visit))

    def link(self, document: Document, page: Page) -> None:
        """Tell a page when its document is complete, and when it has ended."""
        if page.joined is not None:
            page.joined(document)
        left = page.left
        if left is not None:
            document.on_session_destroyed(lambda _: left())

    def modify_document(self, doc: Document) -> None:
        """Nothing: `on_session_created`, which may wait for other threads, has filled it."""

    def build(self, document: Document, visit: Visit) -> Page:
        """Fill a document; in any thread that has no other page to make."""
        with set_curdoc(document):
            config.design = DeckDesign
            page = self._make(visit)
            document.template = page.template
            own = {"status": page.status, "dist_url": LOCAL_DIST}
            document.template_variables.update({**page.variables, **own})
            document.on_session_destroyed(state._destroy_session)
            with document.models.freeze():
                for name, viewable in page.roots.items():
                    document.on_session_destroyed(viewable._server_destroy)  # type: ignore[arg-type]
                    model = viewable.get_root(document)
                    model.name = name
                    add_to_doc(model, document)
                    patch_model_css(model, LOCAL_DIST)
                    viewable._documents[document] = model
        return page


def visit_of(request: Any) -> Visit:
    """What a request tells."""
    headers = request.headers
    return Visit(
        host=headers.get("Host", ""),
        secure=request.protocol == "https",
        asked={name: values[-1].decode(errors="replace") for name, values in request.arguments.items()},
        proxied=FORWARDED_HOST in headers,
        address=address_of(request._request),
    )
