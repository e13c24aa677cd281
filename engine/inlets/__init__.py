"""Inlets: where predictions come in that no WebSocket brings."""

from engine.inlets.base import Inlet, MakeInlet

__all__ = ["Inlet", "MakeInlet"]
