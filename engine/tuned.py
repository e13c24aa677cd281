"""What a person can tune: declared with `param`, and spelled out by name."""

from __future__ import annotations

from typing import Any

import param


class Tuned(param.Parameterized):
    """Parameters, from which requests, answers and widgets follow."""

    @property
    def settings(self) -> dict[str, Any]:
        """By name, as they are set."""
        return {name: value for name, value in self.param.values().items() if name != "name"}
