"""All kinds of update at work in a real page, by a plotter that the page's JavaScript never heard of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from bokeh.models.ui import UIElement
from playwright.sync_api import Browser, Page

from plotters.base import News, Plotter, Replace, Set, Shift, Update
from tests.builders import small_recording
from tests.dashboard.conftest import MakeDeck, Visitor

LENGTH = 8

READ = """(source) => {
  const data = Bokeh.documents.map((each) => each.get_model_by_name(source)).find(Boolean).data;
  const entries = data instanceof Map ? [...data] : Object.entries(data);
  return Object.fromEntries(entries.map(([name, column]) => [name, [...column].map(
    (value) => Number.isNaN(value) ? null : value)]));
}"""


class Probe(Plotter):
    name = "probe"
    title = "Probe"

    def build(self) -> UIElement:
        plot = self.plain_figure("x", "y")
        plot.title.name = self.full_name("title")
        blank = np.full(LENGTH, np.nan, np.float32)
        plot.line("x", "y", source=self.source("trace", x=np.arange(LENGTH), y=blank))
        plot.text("x", "y", "text", source=self.source("marks", x=[], y=[], text=[]))
        return plot

    def update(self, news: News) -> Iterable[Update]:
        numbers = news.rows["packet_id"]
        yield Shift("trace", "y", numbers.astype(np.float32))
        last = int(numbers[-1])
        yield Replace("marks", "x", np.arange(last % 3 + 1, dtype=np.int16))
        yield Replace("marks", "y", np.zeros(last % 3 + 1, np.float64))
        yield Replace("marks", "text", [f"bin {last}"] * (last % 3 + 1))
        yield Set("title", {"text": f"Bin {last}"})


def column(page: Page, source: str, name: str) -> list[float | str | None]:
    return page.evaluate(READ, source)[name]


def test_a_new_plotter_needs_no_javascript(make_deck: MakeDeck, browser: Browser) -> None:
    deck = make_deck(small_recording(), [Probe])
    replay = deck.store.create("probe").replay
    with browser.new_context() as context:
        visitor = Visitor(context, deck.url)
        page = visitor.watch(deck, "probe")
        assert column(page, "probe/trace", "y") == [None] * LENGTH
        for n in range(1, 4):
            replay.step()
            page.wait_for_function("n => window.deckStats.painted >= n", arg=n)
            last = n - 1
            assert column(page, "probe/trace", "y") == [*[None] * (LENGTH - n), *range(n)]
            assert column(page, "probe/marks", "x") == list(range(last % 3 + 1))
            assert column(page, "probe/marks", "text") == [f"bin {last}"] * (last % 3 + 1)
            assert page.evaluate("Bokeh.index.roots[0].model.title.text") == f"Bin {last}"
        late = visitor.watch(deck, "probe")
        assert column(late, "probe/trace", "y") == column(page, "probe/trace", "y")
        assert visitor.failures == []
