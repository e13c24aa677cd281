"""The dashboard: pages, what they show of a session, and the server that serves them."""

from dashboard.server import build_server, close_server

__all__ = ["build_server", "close_server"]
