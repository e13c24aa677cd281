"""One visitor's look at a recording: linked plots that follow the controls and what is chosen in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import param
from holoviews.streams import BoundsY, Params, Tap

from dashboard.explore import plot_trials, plot_units
from dashboard.explore.controls import for_study
from dashboard.explore.look import mark
from dashboard.explore.plot_trials import NONE, Around
from dashboard.explore.study import Rows, Study
from engine.errors import DeckError

AROUND = ("event", "before", "after", "bins_per_step", "unit", "split")
"""The controls that raster and PSTH depend on, beside smoothing."""
BESIDE = 0.04
"""Of all paths' extent: farther from them a tap means none."""


class Explorer(param.Parameterized):
    """All plots follow `controls` and `chosen`; what is chosen in one of them is chosen in all.

    Parameters
    ----------
    study : Study

    Attributes
    ----------
    controls : Controls
    linked : holoviews.link_selections
        Between paths and tuning, by the trial's id.
    """

    chosen = param.Array(doc="Rows of the trials that are shown, shape (n_chosen,).")
    unit = param.Integer(doc="The unit that is shown.")
    split = param.String(doc="By what trials are split where they are shown.")
    around: Any = param.Parameter(doc="What raster and PSTH show, an `Around`.")
    message = param.String(doc="What could not be done, for the visitor.")
    session = param.String(doc="Address of the page of a session that plays what is chosen.")

    def __init__(self, study: Study) -> None:
        super().__init__(chosen=study.rows(""))
        self.study = study
        self.controls = for_study(study)
        self.linked = hv.link_selections.instance(
            index_cols=["trial"], cross_filter_mode="overwrite", show_regions=False, unselected_alpha=0.07
        )
        self._linking = False
        self._offer_groups()
        self._draw()
        self.controls.param.watch(lambda *_: self._draw(), list(AROUND))
        self.linked.param.watch(lambda _: self._take_selection(), "selection_expr")
        self.controls.param.watch(lambda _: self._offer_groups(), "split")
        self.controls.param.watch(lambda event: self._take_groups(event.old, event.new), "groups")
        self.controls.param.watch(lambda event: self._take_text(event.new), "trials")

    def plots(self) -> dict[str, tuple[Any, Any]]:
        """Each with what it says.

        What several layers of a plot depend on is one stream to them all, so that it is drawn once.
        `Tap` hears a second tap that comes soon, too, of which Bokeh makes a double one.
        """
        study, smoothing = self.study, Params(self.controls, ["smoothing"])
        around, chosen, unit, split = (
            Params(self, [name]) for name in ("around", "chosen", "unit", "split")
        )

        def layer(draw: Callable[..., Any], *streams: Params) -> Any:
            return hv.DynamicMap(draw, streams=list(streams))

        paths = layer(partial(plot_trials.paths, study), split)
        targets = layer(partial(plot_trials.targets, study), split)
        raster, strip = layer(plot_trials.raster, around), layer(plot_trials.strip, around)
        psths = layer(plot_trials.psths, around, smoothing)
        points = layer(partial(plot_units.trial_rates, study), unit)
        means = layer(partial(plot_units.mean_rates, study), unit, chosen)
        arrows, tips = (layer(partial(draw, study), unit) for draw in (plot_units.arrows, plot_units.tips))
        rates = layer(partial(plot_units.rates, study), unit)
        BoundsY(source=raster).add_subscriber(lambda boundsy: self._take_rows(boundsy))
        Tap(source=raster).add_subscriber(lambda y, **_: self._take_row(y))
        Tap(source=targets).add_subscriber(self._take_beside)
        Tap(source=arrows).add_subscriber(self._take_tip)
        seen, of = self.param.around, self.param.unit
        made = {
            "paths": (self.linked(paths) * targets, plot_trials.paths_say(study)),
            "raster": (raster * strip * mark(0), pn.bind(plot_trials.raster_says, seen)),
            "psth": (psths, pn.bind(plot_trials.psths_say, seen, self.controls.param.smoothing)),
            "tuning": (self.linked(points) * means, pn.bind(plot_units.tuning_says, study, of)),
            "preferred": (
                arrows * tips * plot_units.rings(study) * plot_units.depths(study),
                plot_units.preferred_says(study),
            ),
            "rates": (rates, pn.bind(plot_units.rates_say, study, of)),
        }
        if study.recording.detection:
            found = layer(partial(plot_units.found, study), unit)
            Tap(source=found).add_subscriber(self._take_channel)
            made["found"] = found, pn.bind(plot_units.found_says, study, of)
        return made

    def _draw(self, **changes: Any) -> None:
        """Let the plots show what is asked for now, all at once."""
        c, chosen = self.controls, changes.get("chosen", self.chosen)
        around = Around(self.study, c.event, c.before, c.after, c.bins_per_step, c.unit, c.split, chosen)
        with at_once():
            self.param.update(unit=c.unit, split=c.split, around=around, **changes)

    def choose(self, rows: Rows) -> None:
        """Show some trials; all if there are none."""
        self.controls.trials = self.study.spell(rows) if len(rows) else ""

    def refuse(self, asked: dict[str, Any]) -> None:
        """Take of an address what can be taken, and say what cannot."""
        for name, value in asked.items():
            declared = self.controls.param[name]
            try:
                setattr(self.controls, name, value)
            except ValueError:
                self.message = (
                    f"The address asks for what this recording does not have. {declared.label}: {value}."
                )

    def _offer_groups(self) -> None:
        """One for each value by which trials are split, with how many it has."""
        split = self.study.split(self.controls.split)
        sizes = np.bincount(split.group[split.group >= 0], minlength=len(split.labels))
        labels = {
            f"{label}  ·  {n}": i for i, (label, n) in enumerate(zip(split.labels, sizes, strict=True))
        }
        self.controls.param["groups"].objects = labels
        self.controls.groups = self._whole_groups()

    def _whole_groups(self) -> list[int]:
        """Those whose trials are all among some that were chosen."""
        if not self.controls.trials:
            return []
        group = self.study.split(self.controls.split).group
        absent = set(np.delete(group, self.chosen).tolist())
        return [i for i in np.unique(group[self.chosen]).tolist() if i >= 0 and i not in absent]

    def _take_text(self, text: str) -> None:
        try:
            chosen = self.study.rows(text)
        except DeckError as error:
            self.controls.trials = self.study.spell(self.chosen)
            self.message = str(error)
            return
        with at_once():
            self._draw(message="", session="", chosen=chosen)
            self.controls.groups = self._whole_groups()
            self._link()

    def _link(self) -> None:
        """Let the linked plots show what is chosen, if they do not."""
        wanted = self.study.trial_ids[self.chosen] if self.controls.trials else None
        if not np.array_equal(wanted, self._selected()):  # type: ignore[arg-type]
            self._linking = True  # on the way HoloViews selects nothing for a moment
            self.linked.selection_expr = None if wanted is None else hv.dim("trial").isin(wanted.tolist())
            self._linking = False

    def _selected(self) -> Rows | None:
        """Ids of the trials that the linked plots show as selected; None for no selection."""
        selection = self.linked.selection_expr
        if selection is None:
            return None
        selected: Rows = self.study.trial_ids[selection.apply(hv.Dataset(self.study.trial_ids, "trial"))]
        return selected

    def _take_groups(self, before: list[int], after: list[int]) -> None:
        if after == self._whole_groups():
            return
        group = self.study.split(self.controls.split).group
        kept = self.chosen if self.controls.trials else NONE
        kept = kept[~np.isin(group[kept], list(set(before) - set(after)))]
        self.choose(np.union1d(kept, np.flatnonzero(np.isin(group, after))))

    def _take_selection(self) -> None:
        """What was chosen in paths or tuning."""
        if self._linking:
            return
        selected = self._selected()
        self.choose(NONE if selected is None else np.flatnonzero(np.isin(self.study.trial_ids, selected)))
        self._link()

    def _take_rows(self, boundsy: tuple[float, float] | None) -> None:
        """What was dragged over in the raster."""
        if boundsy is not None:
            first, last = sorted(boundsy)
            self.choose(self.around.trials[max(int(first), 0) : int(np.ceil(last))])

    def _take_row(self, y: float | None) -> None:
        """What was tapped in the raster."""
        if y is not None and y >= 0:
            self.choose(self.around.trials[int(y) : int(y) + 1])

    def _take_beside(self, x: float | None, y: float | None) -> None:
        """A tap beside all paths, which means all trials again; one on a path is a selection already."""
        if (
            x is not None
            and y is not None
            and self.study.paths.nearest(x, y, BESIDE * self.study.reach) is None
        ):
            self.choose(NONE)

    def _take_channel(self, x: float | None, y: float | None) -> None:
        """What was tapped among the channels by how their spikes were found."""
        if x is not None and y is not None:
            channel = self.study.nearest_found(x, y)
            self.controls.unit = self.controls.unit if channel is None else channel

    def _take_tip(self, x: float | None, y: float | None) -> None:
        """What was tapped among the preferred directions."""
        if x is not None and y is not None:
            unit = self.study.nearest_tip(x, y)
            self.controls.unit = self.controls.unit if unit is None else unit


def at_once() -> AbstractContextManager[None]:
    """Have the page's document count its models once: HoloViews would with each plot that it draws."""
    document = pn.state.curdoc
    return nullcontext() if document is None else document.models.freeze()
