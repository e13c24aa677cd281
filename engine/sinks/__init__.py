"""Outlets: where a replay pushes its bins itself, because their time is part of the protocol."""

from engine.sinks.base import Outlet

__all__ = ["Outlet"]
