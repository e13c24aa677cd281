"""How the pages look and are reached: widths, themes, labels, keyboard, the way between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard import theme
from dashboard.layout import CARDS
from engine.deck.replay import Replay
from plotters import PLOTTERS
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot

CARD_NAMES = [c.name for c in CARDS if c.column != "plots" and c.needs in (None, "select")]
N_PLOTS = len(PLOTTERS)
"""Bokeh's figures can be reached too."""
N_REGIONS = 80
"""So can what scrolls, and the buttons for that are more than one stop."""

DEEP = """const deep = (root, selector) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("*")]
    .filter((e) => e.shadowRoot && !/Figure|Canvas/.test(e.className))
    .flatMap((e) => deep(e.shadowRoot, selector)),
];
"""
"""Elements in shadow roots too, in which Panel's widgets are."""

NAMELESS = f"""() => {{
  {DEEP}
  const controls = deep(document, "button, a, input, select, summary");
  const named = (e) => e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim();
  return controls.filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML);
}}"""

WATCH = f"""() => {{
  {DEEP}
  const controls = deep(document, "button, a[href], input, select, summary, pre, .bk-knob, .noUi-handle");
  const seen = new Set();  // of radio buttons, the group is one
  const reachable = controls.filter((e) => e.checkVisibility() && e.tabIndex >= 0 && !e.disabled
    && (e.type !== "radio" || (e.checked && !seen.has(e.name) && seen.add(e.name))));
  window.unreached = new Set(reachable);
  window.invisible = [];
  const hear = (event) => {{
    const target = event.composedPath()[0];
    const outlined = (e) => getComputedStyle(e).outlineStyle !== "none";
    const shown = outlined(target) || outlined(target.closest("label") ?? target);
    if (unreached.delete(target) && !shown) {{
      invisible.push(target.outerHTML);
    }}
  }};
  // From one element of a shadow root to another, nothing is heard outside.
  for (const root of new Set(controls.map((e) => e.getRootNode()))) root.addEventListener("focusin", hear);
  document.activeElement.blur();
  return reachable.length;
}}"""
"""Note which controls are reached, and which of them do not show it."""


FITS = "width => innerWidth === width && document.documentElement.scrollWidth <= width"


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    other = small_recording(name="swift-neural-42-20261121-154237-750-of-a-long-afternoon")
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), others=[other])
    replay = made.store.create("swift-neural-42").replay
    replay.set_speed(20)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared(deck: Deck, browser: Browser) -> Iterator[Page]:
    """One page for tests that leave it as it was."""
    with browser.new_context(color_scheme="dark") as context:
        visiting = Visitor(context, deck.url)
        yield visiting.watch(deck, "swift-neural-42", *CARD_NAMES)
        assert visiting.failures == []
        assert visiting.foreign == []


@pytest.fixture
def playing(deck: Deck) -> Iterator[Replay]:
    """Of the session, which stands still between tests: drawing takes half a core."""
    replay = deck.store.get("swift-neural-42").replay
    replay.resume()
    yield replay
    replay.pause()


@pytest.fixture
def page(shared: Page, playing: Replay) -> Page:
    """The shared page, with its controls, while the session plays."""
    shared.wait_for_selector("body[data-state=playing]")
    expect(shared.get_by_role("complementary", name="Controls")).to_be_visible()
    return shared


def n_frames(page: Page, n: int) -> None:
    page.wait_for_function("n => window.deckStats.painted >= n", arg=n)


def open_options(page: Page) -> None:
    """Of a new session, on the start page."""
    page.get_by_role("button", name="Options of a new session").click()
    page.get_by_label("Seed").wait_for()
    expect(page.get_by_role("link", name="swift-neural-42")).to_be_visible()


WIDTHS = (390, 700, 820, 1280, 1920)


@pytest.mark.parametrize(
    ("opened", "schemes"),
    [
        (390, ("dark",)),
        *(pytest.param(width, ("dark", "light"), marks=pytest.mark.slow) for width in WIDTHS),
    ],
)
def test_no_page_scrolls_sideways(
    deck: Deck, browser: Browser, playing: Replay, opened: int, schemes: tuple[str, ...]
) -> None:
    """Opened at one width and then as wide as any, it fits."""

    def look(page: Page, name: str) -> None:
        for scheme in schemes:
            if page.locator("html").get_attribute("data-theme") != scheme:
                page.get_by_role("button", name="Switch between dark and light").click()
            expect(page.locator("html")).to_have_attribute("data-theme", scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 860})
                page.wait_for_function(FITS, arg=width)
                page.evaluate("() => scrollTo(0, 0)")
                keep_screenshot(page, f"{name}-{scheme}-{width}")

    with browser.new_context(color_scheme="dark", viewport={"width": opened, "height": 860}) as context:
        visitor = Visitor(context, deck.url)
        page = visitor.watch(deck, "swift-neural-42", *CARD_NAMES)
        n_frames(page, 5)
        playing.pause()  # what moves is there, and is drawn again at each width
        page.wait_for_function(FITS, arg=opened)
        look(page, "live")
        page.set_viewport_size({"width": opened, "height": 860})
        page.goto(deck.url)
        open_options(page)
        page.wait_for_function(FITS, arg=opened)
        look(page, "home")
        assert visitor.failures == visitor.foreign == []


def test_a_phone_begins_with_closed_panels_and_remembers_open_ones(
    deck: Deck, browser: Browser, playing: Replay
) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = Visitor(context, deck.url).open(deck.live("swift-neural-42"))
        trials = page.get_by_label("Trials", exact=True)
        n_frames(page, 5)  # nothing moves any more when the plots are there
        expect(trials).to_be_hidden()
        page.get_by_role("heading", name="Selection").click()
        expect(trials).to_be_visible()
        page.reload()
        expect(trials).to_be_visible()
        expect(page.get_by_role("switch", name="Noise")).to_be_hidden()


def test_pages_lead_to_each_other_and_the_theme_goes_along(deck: Deck, visitor: Visitor) -> None:
    page = visitor.watch(deck, "swift-neural-42")
    palette = "() => Bokeh.index.roots[0].model.renderers[0].glyph.color_mapper.palette.map(String)"
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    assert page.evaluate(palette) == theme.count_palette("dark")
    page.get_by_role("button", name="Switch between dark and light").click()
    assert page.evaluate(palette) == theme.count_palette("light")
    links = page.get_by_role("navigation", name="Pages")
    expect(links.get_by_role("link", name="Live")).to_have_attribute("aria-current", "page")
    links.get_by_role("link", name="Explore").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Explore")
    expect(html).to_have_attribute("data-theme", "light")
    links.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(html).to_have_attribute("data-theme", "light")
    links.get_by_role("link", name="Live").click()
    page.wait_for_selector("body[data-session=swift-neural-42][data-connection=open]")
    assert page.url == deck.live("swift-neural-42")
    assert html.get_attribute("data-theme") == "light"
    assert page.evaluate(palette) == theme.count_palette("light")


def test_presenting_fills_the_screen_in_large_type_until_escape(page: Page) -> None:
    size = "() => Bokeh.index.roots[0].model.left[0].major_label_text_font_size"
    small = page.evaluate(size)
    shown = page.locator(".plots > :visible")
    n_shown = shown.count()
    page.get_by_role("button", name="Present").click()
    expect(page.get_by_role("complementary", name="Controls")).to_be_hidden()
    expect(shown).to_have_count(3)
    for name in ("arena", "raster", "scores"):
        expect(page.locator(f".plot-{name}")).to_be_visible()
    expect(page.get_by_role("button", name="Step")).to_have_count(0)
    expect(page.get_by_role("radio", name="Moderate").first).to_be_visible()
    assert page.evaluate(size) != small
    for width, height in ((1920, 1080), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("() => document.documentElement.scrollHeight <= innerHeight")
        page.wait_for_function("() => document.querySelector('.plots').offsetWidth > 0.95 * innerWidth")
        keep_screenshot(page, f"live-presenting-{width}")
    page.reload()
    page.wait_for_selector("body[data-view=present][data-controls=ready]")
    expect(page.get_by_role("button", name="Step")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Controls")).to_be_visible()
    expect(page.get_by_role("button", name="Step")).to_be_visible()
    expect(shown).to_have_count(n_shown)
    assert page.evaluate(size) == small


def test_every_control_has_a_label_and_is_reached_by_keyboard(deck: Deck, page: Page) -> None:
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    assert_all_named_and_reached(page)
    home = page.context.new_page()
    home.goto(deck.url)
    open_options(home)
    assert_all_named_and_reached(home)
    home.close()


def assert_all_named_and_reached(page: Page) -> None:
    assert page.evaluate(NAMELESS) == []
    n = page.evaluate(WATCH)
    assert n > 15
    for _ in range(0, n + N_PLOTS + N_REGIONS, 10):
        for _ in range(10):
            page.keyboard.press("Tab")
        if page.evaluate("() => unreached.size") == 0:
            break
    assert page.evaluate("() => [...unreached].map((e) => e.outerHTML)") == []
    assert page.evaluate("() => invisible") == []


def test_a_page_that_skips_frames_says_so(page: Page) -> None:
    skipping = page.locator("#skipping")
    page.evaluate("() => { window.slow = setInterval(() => window.deckStats.frames += 200, 100); }")
    expect(skipping).to_have_text("some skipped")
    page.get_by_role("button", name="Pause").click()
    expect(skipping).to_be_empty()
    page.evaluate("() => clearInterval(window.slow)")
    page.get_by_role("button", name="Play").click()
