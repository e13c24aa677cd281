"""Outlets: where a replay pushes its bins itself, because their time is part of the protocol."""

from engine.outlets.base import Outlet

__all__ = ["Outlet"]
