"""What tests of faults share with those of sessions."""

from __future__ import annotations

from tests.sessions.conftest import stream_server, switch_interval

__all__ = ["stream_server", "switch_interval"]
