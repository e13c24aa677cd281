"""REST calls for how a session is looked at: one view for all pages that show it."""

from __future__ import annotations

from pydantic import BaseModel

from sessions.rest.context import Context
from sessions.rest.models import ViewAnswer
from sessions.rest.requests import ViewAsk


def show_view(context: Context, code: str) -> BaseModel:
    """How all pages show a session."""
    return ViewAnswer.model_validate(context.session(code).view.settings)


def set_view(context: Context, code: str, asked: ViewAsk) -> BaseModel:
    """Change what all pages show; what is sent stays the same."""
    context.session(code).change_view(asked.model_dump(exclude_unset=True))
    return show_view(context, code)
