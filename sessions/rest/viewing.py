"""REST calls for how a session is looked at: one view for all pages that show it."""

from __future__ import annotations

from sessions.rest.context import Context
from sessions.rest.models.playing import ViewAnswer
from sessions.rest.tuning import ViewAsk


def show_view(context: Context, code: str) -> ViewAnswer:
    """How all pages show a session."""
    answer: ViewAnswer = ViewAnswer.model_validate(context.session(code).view.settings)
    return answer


def set_view(context: Context, code: str, asked: ViewAsk) -> ViewAnswer:
    """Change what all pages show; what is sent stays the same."""
    context.session(code).change_view(asked.model_dump(exclude_unset=True))
    return show_view(context, code)
