"""One REST call: what serves it, what it takes, what it answers and refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from inspect import iscoroutinefunction
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel

from engine.errors import DeckError
from sessions.rest.asks import Ask
from sessions.rest.context import Redirect, Stream, Text
from sessions.rest.models.base import Answer

PATH_PARAMETERS = {
    "code": str,
    "name": str,
    "calibration": int,
    "run": int,
    "link": str,
    "trial_id": int,
    "target_id": int,
}
"""What may stand in braces in a path."""

Method = Literal["GET", "POST", "PUT", "DELETE"]
Answered = BaseModel | Text | Stream | Redirect
Call = Callable[..., Answered | Awaitable[Answered]]


@dataclass(frozen=True)
class Route:
    """One call.

    Attributes
    ----------
    method, path : str
    call : function
        Takes a `sessions.rest.context.Context`, the path's parameters, and `asked`, a model of what is
        asked, if there is anything to ask. Its signature says what the call takes and answers, its
        docstring documents it. One that waits for something is a coroutine function.
    refuses : tuple of DeckError classes
    blocking : bool
        Whether it may take long enough to hold up an event loop.
    other : str
        Content type of an answer that is not JSON, if there is one.
    in_query : model
        Of those fields of a body that may stand in the query as well.
    """

    method: Method
    path: str
    call: Call
    refuses: tuple[type[DeckError], ...] = ()
    blocking: bool = False
    other: str | None = None
    in_query: type[Ask] = Ask

    @property
    def query(self) -> type[Ask]:
        """Model of the query; one without fields if there is none."""
        return self.in_query if self._has_body else self._asked

    @property
    def body(self) -> type[Ask]:
        """Model of the body; one without fields if there is none."""
        return self._asked if self._has_body else Ask

    @property
    def answer(self) -> type[BaseModel] | None:
        """Model of the JSON that is answered, if it is JSON."""
        return self.answers.get(200)

    @cached_property
    def answers(self) -> dict[int, type[Answer]]:
        """Models of the JSON that is answered, by status."""
        returned = self._signature["return"]
        models = (each for each in get_args(returned) or (returned,) if issubclass(each, Answer))
        return {each.status_code: each for each in models}

    @property
    def waits(self) -> bool:
        """Whether the call is awaited."""
        return iscoroutinefunction(self.call)

    @property
    def _has_body(self) -> bool:
        return self.method in ("POST", "PUT")

    @cached_property
    def _asked(self) -> type[Ask]:
        asked: type[Ask] = self._signature.get("asked", Ask)
        return asked

    @cached_property
    def _signature(self) -> dict[str, Any]:
        return get_type_hints(self.call)
