"""Logs that never show the token, whatever a client has sent and whoever logs it."""

from __future__ import annotations

import logging

from sessions.gate.token import HIDDEN


class RedactingFormatter(logging.Formatter):
    """Formats as another formatter does, and hides the token.

    Parameters
    ----------
    plain : logging.Formatter
    secret : str
    """

    def __init__(self, plain: logging.Formatter, secret: str) -> None:
        super().__init__()
        self._plain = plain
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        return self._plain.format(record).replace(self._secret, HIDDEN)


def hide(secret: str) -> None:
    """Let no handler of the root logger show the token from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(RedactingFormatter(handler.formatter or logging.Formatter(), secret))
