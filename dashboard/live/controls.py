"""What a card's widgets are bound to: parameters that stand for what its session has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from engine.errors import BadSetting, DeckError
from sessions.session import Session


class Controls(param.Parameterized):
    """The controls of one card on one open page.

    What a person changes is written to the session, which may refuse it; what anybody has changed is read
    from there (`follow`). A value that the session has told is never written back to it.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._following = False
        super().__init__()
        self.declare()
        self.follow()
        names = [name for name in self.param if name != "name"]
        if names:
            self.param.watch(self._set, names)

    def declare(self) -> None:
        """Say of parameters what depends on the session, such as what there is to choose from."""

    def read(self) -> dict[str, Any]:
        """Values of parameters as the session has them; any thread."""
        return {}

    def write(self, changes: Mapping[str, Any]) -> None:
        """Ask the session for what a person has set.

        Raises
        ------
        DeckError
            If it refuses; then nothing has changed.
        """

    def view(self) -> Viewable:
        """The widgets."""
        raise NotImplementedError

    def follow(self) -> None:
        """Show what the session has now; to be called with the document's lock."""
        self._take(self, self.read())

    def _take(self, values: param.Parameterized, told: Mapping[str, Any]) -> None:
        self._following = True
        try:
            values.param.update({n: v for n, v in told.items() if getattr(values, n) != v})
        finally:
            self._following = False

    def _set(self, *events: Any) -> None:
        self._ask(lambda: self.write(changes_of(events)))

    def _ask(self, act: Callable[[], object]) -> None:
        """Do what a person has set, unless it is the session that has told it."""
        if not self._following and not attempt(act):
            document = state.curdoc  # after this event: widgets do not hear of their own change amid it
            if document is not None:
                document.add_next_tick_callback(self.follow)


def changes_of(events: Iterable[Any]) -> dict[str, Any]:
    """What a person has set, by the parameter's name.

    Raises
    ------
    BadSetting
        If a number's field was left empty.
    """
    for event in events:
        parameter = event.obj.param[event.name]
        if event.new is None and isinstance(parameter, param.Number):
            raise BadSetting(f"{parameter.label} is a number, such as {event.old:g}.")
    return {event.name: event.new for event in events}


def attempt(act: Callable[[], object], *, clear: bool = True) -> bool:
    """Do what a person asks for, and tell that person what is refused; true if it is done.

    Parameters
    ----------
    act : function
    clear : bool
        Whether what was refused before is taken away then. What ends by itself leaves it.
    """
    notices = state.notifications
    try:
        act()
    except DeckError as error:
        if notices is not None:
            notices.error(str(error))
        return False
    if clear and notices is not None:
        notices.clear()
    return True


def button(
    label: str, act: Callable[[], object], *css_classes: str, primary: bool = False
) -> pn.widgets.Button:
    """One that does something, or tells why not."""
    made = pn.widgets.Button(
        label=label, color="primary" if primary else "default", css_classes=list(css_classes)
    )

    def press(_: Any) -> None:
        attempt(act)

    made.on_click(press)
    return made


def slider(controls: Controls, name: str, label: str, start: float, end: float, step: float) -> Viewable:
    """One of a parameter that speaks when it is let go: not every value on the way is meant."""
    made = pn.widgets.FloatSlider(
        label=label, start=start, end=end, step=step, value=getattr(controls, name)
    )
    made.param.watch(lambda event: controls.param.update(**{name: event.new}), "value_throttled")
    controls.param.watch(lambda event: made.param.update(value=event.new), name)
    return made


def flow(*objects: Any, css_classes: Sequence[str] = ()) -> pn.Row:
    """Side by side, and below each other where there is no room.

    Panel's own `FlexBox` is put together in the browser, which the pages' policy forbids.
    """
    return pn.Row(*objects, css_classes=["flow", *css_classes])


def fields(*objects: Any) -> pn.Row:
    """Two in a row, of a card beside the plots."""
    return pn.Row(*objects, css_classes=["fields"])


def stack(*objects: Any, css_classes: Sequence[str] = ()) -> pn.Column:
    """Below each other."""
    return pn.Column(*objects, css_classes=["stack", *css_classes])
