"""A lab's own files work as the project's do: those of CONTRIBUTING.md, in a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser
from websocket import create_connection

from engine import plugins
from engine.errors import BadSetting
from plotters import with_plugins
from tests.benchmarks import Server, server
from tests.engine.listening import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(
    r"```python\n# (\w+)\.py\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL
)
LONGEST = 30
PATIENT = '''
import os
import time
from pathlib import Path

from engine.decoders.population_vector import PopulationVector


class Patient(PopulationVector):
    """Learns in three epochs; after the second it waits for a file."""

    key = "patient"

    def _learn(self, training):
        for epoch in range(3):
            while epoch == 2 and not Path(os.environ["PATIENT_FILE"]).exists():
                time.sleep(0.02)
            super()._learn(training)
            self.epoch_done(epoch + 1, 3)
'''


OWN = '''
import numpy as np


class Least:
    """Least squares, without a word of the project's."""

    def fit(self, counts, targets):
        x = np.column_stack((counts, np.ones(len(counts))))
        self.weights = np.linalg.lstsq(x, targets, rcond=None)[0]

    def predict(self, counts):
        return np.append(counts, 1.0) @ self.weights


class Brittle(Least):
    """Fails when it is asked."""

    def predict(self, counts):
        raise ArithmeticError("more than I can bear")


class _Part:
    predict = None
'''
RIDGE = """
from sklearn.linear_model import Ridge


def make_decoder():
    return Ridge(100.0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples as files, and a decoder that takes its time."""
    made = tmp_path_factory.mktemp("plugins")
    (made / "patient.py").write_text(PATIENT)
    (made / "own.py").write_text(OWN)
    (made / "library_ridge.py").write_text(RIDGE)
    for name, text in EXAMPLES:
        (made / f"{name}.py").write_text(text)
    return made


@pytest.fixture(scope="module")
def deck(folder: Path) -> Iterator[Server]:
    """A server with them, and a session that plays."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CSV_LOG_FOLDER", str(folder))
        environment.setenv("PATIENT_FILE", str(folder / "go"))
        with server("--no-lsl", "--plugins", str(folder)) as ours:
            ours.ask("POST", "/api/sessions", {"custom_code": "deck"})
            ours.ask("POST", "/api/control/deck/resume")
            yield ours


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_short(name: str, text: str) -> None:
    assert text.count("\n") <= LONGEST, name


def test_a_decoder_is_started_and_scored(deck: Server) -> None:
    deck.ask("POST", "/api/sessions/deck/decoders", {"decoder": "resting_rate"})
    wait_until(lambda: "resting_rate" in deck.get("/api/sessions/deck/scores")["decoders"])


def test_code_of_ones_own_is_started_and_scored(deck: Server) -> None:
    deck.ask("POST", "/api/sessions/deck/decoders", {"decoder": "library_ridge"})
    wait_until(lambda: "library_ridge" in deck.get("/api/sessions/deck/scores")["decoders"])
    deck.ask("DELETE", "/api/sessions/deck/decoders/library_ridge")


def test_code_of_ones_own_that_fails_says_why_and_where(deck: Server) -> None:
    deck.ask("POST", "/api/sessions/deck/decoders", {"decoder": "Brittle"})
    path = "/api/sessions/deck/decoders"

    def found() -> dict[str, Any]:
        return next(each for each in deck.get(path)["decoders"] if each["name"] == "Brittle")

    wait_until(lambda: found()["state"] == "failed")
    said = "Brittle has failed in predict: ArithmeticError: more than I can bear (own.py, line 20). Mend it"
    assert found()["line"].startswith(said)
    log = deck.content(f"{path}/Brittle/log").decode()
    assert 'own.py", line 20, in predict\n    raise ArithmeticError("more than I can bear")' in log
    deck.ask("DELETE", f"{path}/Brittle")


def calibrated(deck: Server, decoder: str) -> dict[str, Any]:
    """A calibration that has ended."""
    deck.ask("POST", "/api/calibrations", {"decoder": decoder})
    path = f"/api/calibrations/{deck.get('/api/calibrations')['calibrations'][-1]['id']}"
    wait_until(lambda: deck.get(path)["state"] in ("done", "failed"))
    return deck.get(path)


def expanded(text: str) -> list[int]:
    """Ids that are spelled as --train takes them."""
    ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
    return [number for each in ends for number in range(each[0], each[-1] + 1)]


def test_code_of_ones_own_is_calibrated(deck: Server) -> None:
    least, brittle = (calibrated(deck, name) for name in ("Least", "Brittle"))
    assert least["table"][0]["r2_velocity"]["mean"] > 0.0  # better than the mean of what it is tested on
    assert least["model_file"] is None
    assert "What Least has learned lives in its process alone." in least["note"]
    trials, asked = least["split"]["train_trials"], least["command"].partition("--train ")[2].split()
    assert expanded(asked[0]) == trials
    assert least["command"].partition("--train")[0].endswith(" decode --session CODE --decoder Least ")
    assert asked[1:3] == ["--plugins", "FOLDER"]
    with pytest.raises(HTTPError, match="409"):
        deck.content(f"/api/calibrations/{least['id']}/model.npz")
    assert brittle["state"] == "failed"
    assert brittle["error"].startswith("Brittle has failed in predict: ArithmeticError: more than I can")
    for run in (least, brittle):
        deck.ask("DELETE", f"/api/calibrations/{run['id']}")


def test_a_decoder_and_its_settings_are_offered_by_the_command(folder: Path) -> None:
    offered = started("decode", "--plugins", str(folder), "--help")
    assert offered.returncode == 0
    assert re.search(
        r"^  resting_rate\n    ridge=1 +Strength of the penalty\.$", offered.stdout, re.MULTILINE
    )
    assert re.search(r"^  library_ridge\n    lags=10 .*\n    alpha=100 ", offered.stdout, re.MULTILINE)
    assert re.search(r"^  Least\n  Brittle$", offered.stdout, re.MULTILINE)


def test_a_file_of_another_format_is_played(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{i},{-i},{i % 3},{i % 2}" for i in range(80)]
    table.write_text("\n".join(["x,y,a,b", *rows]))
    with server("--no-lsl", "--plugins", str(folder), "--data", str(table)) as ours:
        told = ours.get("/api/metadata")
        assert (told["dataset"], told["channel_names"], told["total_packets"]) == ("table", ["a", "b"], 80)
        stream = create_connection(f"ws://127.0.0.1:{ours.port}/stream/one?layout=flat", timeout=20)
        json.loads(stream.recv())
        packet = json.loads(stream.recv())
        stream.close()
    number = packet["packet_id"]
    assert packet["spikes"]["spike_counts"] == [number % 3, number % 2]
    assert (packet["kinematics"]["x"], packet["kinematics"]["y"]) == (number, -number)


def test_a_perturbation_is_set_sent_and_named(deck: Server) -> None:
    settings = {"crosstalk": {"enabled": True, "share": 1.0}}
    deck.ask("PUT", "/api/sessions/deck/perturbation", settings)
    assert deck.get("/api/sessions/deck/perturbation")["crosstalk"] == settings["crosstalk"]
    url = f"ws://127.0.0.1:{deck.port}/stream/deck"
    plain, clean = (create_connection(f"{url}?{query}", timeout=20) for query in ("", "clean=1"))
    try:
        sent: dict[int, list[dict]] = {}
        both: list[list[dict]] = []
        until = time.monotonic() + PATIENCE
        while not both:
            assert time.monotonic() < until
            for stream in (plain, clean):
                packet = json.loads(stream.recv())
                if packet["type"] == "data":
                    sent.setdefault(packet["data"]["sequence_number"], []).append(packet["data"])
            both = [p for p in sent.values() if sorted(len(each["perturbation"]) for each in p) == [0, 1]]
        for pair in both:
            as_recorded, disturbed = sorted(pair, key=lambda each: len(each["perturbation"]))
            counts = as_recorded["spikes"]["spike_counts"]
            expected = [counts[0], *(a + b for a, b in zip(counts[1:], counts[:-1], strict=True))]
            assert disturbed["spikes"]["spike_counts"] == expected
    finally:
        plain.close()
        clean.close()
        deck.ask("PUT", "/api/sessions/deck/perturbation", {"preset": "none"})


def test_a_sink_gets_every_bin_and_event(deck: Server, folder: Path) -> None:
    (sink,) = deck.get("/api/sessions/deck")["sinks"]
    assert (sink["name"], sink["state"]) == ("csv_log", "running")
    written = folder / "deck.csv"
    wait_until(lambda: len(written.read_text().splitlines()) > 100)
    lines = [line for line in written.read_text().splitlines()[:-1] if not line.startswith("#")]
    numbers = [int(line.split(",")[0]) for line in lines]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert "resume" in written.read_text()


def test_a_source_is_played_and_does_what_it_can(deck: Server) -> None:
    deck.ask("POST", "/api/sessions", {"custom_code": "thrown", "source": "dice:4"})
    told = deck.get("/api/sessions/thrown")
    assert (told["source"], told["recording"], told["stream"]) == ("dice", "dice", None)
    assert told["can"] == ["pause", "step", "speed", "perturbation"]
    deck.ask("PUT", "/api/sessions/thrown/speed", {"speed": 10})
    stream = create_connection(f"ws://127.0.0.1:{deck.port}/stream/thrown", timeout=20)
    packets = [json.loads(stream.recv()) for _ in range(101)]
    stream.close()
    assert packets[0]["channel_names"] == ["one", "two", "three"]
    counts = {count for packet in packets[1:] for count in packet["data"]["spikes"]["spike_counts"]}
    assert counts == {1, 2, 3, 4}
    deck.ask("POST", "/api/control/thrown/pause")
    deck.ask("POST", "/api/control/thrown/step")
    with pytest.raises(HTTPError, match="409"):
        deck.ask("POST", "/api/control/thrown/seek", {"packet_id": 0})
    deck.ask("DELETE", "/api/sessions/thrown")


TITLE = """() => Bokeh.documents.flatMap((each) => [...each.all_models])
    .map((model) => /^(\\d+) s up to bin (\\d+)$/.exec(model.text ?? ""))
    .find(Boolean)?.slice(1).map(Number)"""


def test_a_plot_and_a_card_stand_where_they_say_and_follow_the_session(
    deck: Server, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"http://127.0.0.1:{deck.dashboard_port}/live?session=deck")
    shown = page.locator(".plot-speed")
    above = page.locator(".plot-velocity")
    shown.locator("canvas").first.wait_for()
    box, other = shown.bounding_box(), above.bounding_box()
    assert box is not None
    assert other is not None
    assert (box["x"], box["width"]) == (other["x"], other["width"])
    assert box["y"] > other["y"] + other["height"]
    page.wait_for_function(
        """() => Bokeh.documents.some((each) => {
            const source = each.get_model_by_name("speed/trace");
            return source && source.data.speed.filter(Number.isFinite).length > 40;
        })"""
    )
    page.wait_for_selector("body[data-controls=ready]")
    page.locator("#count_histogram summary").click()
    page.wait_for_function(f"() => ({TITLE})()")
    seconds, first = page.evaluate(TITLE)
    assert seconds == 5
    page.wait_for_function(f"first => ({TITLE})()[1] !== first", arg=first)
    page.locator("#count_histogram .noUi-handle").press("End")
    page.wait_for_function(f"() => ({TITLE})()[0] === 30")
    assert faults == []
    page.close()


PLOT = """from bokeh.plotting import figure
from plotters.base import Plotter, Replace, Set, Shift


class Mine(Plotter):
    name = {name!r}
    title = {name!r}

    {caption}

    def build(self):
        {build}
        return self.plain_figure("x", "y")

    def update(self, news):
        yield {update}
"""
FAILING_PLOTS = {
    "init": {"caption": "def __init__(self, scene): raise OSError('no scene')"},
    "caption": {"caption": "caption = property(lambda self: 1 / 0)"},
    "build": {"build": "1 / 0"},
    "nothing": {"build": "return None"},
    "json": {"build": "plot = figure(tags=[object()]); return plot"},
    "update": {"update": "1 / 0"},
    "unsent": {"update": "Replace('trace', 'x', news.rows['counts'].astype(complex))"},
    "nowhere": {"update": "Shift('no such', 'x', news.rows['due'])"},
    "property": {"update": "Set('', {'no_such': 1})"},
}
"""How a lab's plot may fail, each in a way of its own."""


FAILING_CARDS = {
    "undrawn": (
        "import panel as pn\n\n\ndef fail():\n    raise OSError('no light')\n\n\n"
        "def make_card(session):\n    return pn.Column('above', pn.bind(fail))\n",
        "OSError: no light",
    ),
    "unmade": ("def make_card(session):\n    return 1 / 0\n", "ZeroDivisionError: division by zero"),
}
"""A card that cannot be drawn and one that cannot be made, and what each says."""


def test_plots_and_cards_that_fail_end_alone_and_say_so(tmp_path: Path, browser: Browser) -> None:
    for name, parts in FAILING_PLOTS.items():
        whole = {"name": name, "caption": "", "build": "", "update": "Set('', {'visible': True})", **parts}
        text = PLOT.format(**whole)
        if name == "property":
            text = text.replace("'property/'", "'property'")
        (tmp_path / f"{name}.py").write_text(text)
    for name, (text, _) in FAILING_CARDS.items():
        (tmp_path / f"{name}.py").write_text(text)
    with server("--no-lsl", "--plugins", str(tmp_path)) as ours:
        ours.ask("POST", "/api/sessions", {"custom_code": "deck"})
        page = browser.new_page()
        page.set_default_timeout(30_000)
        page.goto(f"http://127.0.0.1:{ours.dashboard_port}/live?session=deck")
        page.wait_for_selector("body[data-controls=ready]")
        for name, (_, said) in FAILING_CARDS.items():
            page.locator(f"#{name} summary").click()
            page.locator(f"#{name}").get_by_text(said).wait_for()
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_selector("body[data-state=playing]")
        page.wait_for_function("() => window.deckStats.painted > 40")
        for name in FAILING_PLOTS:
            told = page.locator(f"[data-failed={name}], [data-value=sinks]")
            told.get_by_text(re.compile("plot .*has failed", re.IGNORECASE)).first.wait_for()
        assert page.locator(".failed:not(:empty)").count() >= 7
        assert page.locator("[data-failed=raster]").inner_text() == ""
        page.close()


TROUBLED = {
    "slow": "time.sleep(1)",
    "raising": "raise OSError('the cable is out')",
    "stuck": "threading.Event().wait()",
}
SINK = """import threading
import time


class Sink:
    def __init__(self, subject):
        pass

    def wanted(self):
        return False

    def push(self, rows):
        {}

    def event(self, text, due):
        pass

    def close(self):
        pass


make_sink = Sink
"""


def test_sinks_in_trouble_move_no_client_and_are_told_of(tmp_path: Path) -> None:
    for name, trouble in TROUBLED.items():
        (tmp_path / f"{name}.py").write_text(SINK.format(trouble))
    with server("--plugins", str(tmp_path)) as ours:
        ours.ask("POST", "/api/sessions", {"custom_code": "deck", "lsl": True})
        stream = create_connection(f"ws://127.0.0.1:{ours.port}/stream/deck", timeout=20)
        packets = [json.loads(stream.recv())["data"] for _ in range(121)][1:]
        numbers = [packet["sequence_number"] for packet in packets]
        assert numbers == list(range(numbers[0], numbers[0] + 120))
        wait_until(lambda: len(ours.get("/health")["sinks"]) == 2)
        assert sorted(ours.get("/health")["sinks"]) == ["raising of deck", "stuck of deck"]
        assert ours.get("/health")["status"] == "healthy"
        states = {each["name"]: each["state"] for each in ours.get("/api/sessions/deck")["sinks"]}
        assert states == {"slow": "running", "raising": "failed", "stuck": "blocked", "lsl": "running"}
        asked = time.monotonic()
        ours.ask("POST", "/api/control/deck/pause")
        assert time.monotonic() - asked < 1.0
        stream.close()
        asked = time.monotonic()
        ours.ask("DELETE", "/api/sessions/deck?force=true")
        assert time.monotonic() - asked < 5.0


PLOT_NAMED = "from plotters.base import Place, Plotter\n\n\nclass Mine(Plotter):\n    name = '{}'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library' (line 1)"),
        ("x = 1\ny = = 2\n", "SyntaxError"),
        (
            "from engine.decoders.base import Decoder\n\n\nclass Mine(Decoder):\n    key = 'wiener'\n",
            "There is a decoder 'wiener' already. Give yours another key.",
        ),
        (
            "from engine.stages.perturb.base import CountModel\n\n\n"
            "class Mine(CountModel):\n    key = 'noise'\n",
            "There is a perturbation 'noise' already. Give yours another key.",
        ),
        (PLOT_NAMED.format("mine"), "The plot 'mine' has no title. Give it one."),
        (
            PLOT_NAMED.format("raster") + "    title = 'Mine'\n",
            "There is a plot 'raster' already. Give yours another name.",
        ),
        (PLOT_NAMED.format("Two words"), "The plot Mine has the name 'Two words'. Take small letters"),
        (PLOT_NAMED.replace("name = '{}'", "place = Place('huge')"), "Unknown width 'huge' of a plot."),
        (PLOT_NAMED.replace("name = '{}'", "pass"), "The plot Mine has the name None."),
    ],
    ids=[
        *("missing library", "syntax", "key of a decoder", "key of a perturbation"),
        *(
            "no title of a plot",
            "name of a plot",
            "bad name of a plot",
            "bad place of a plot",
            "no name of a plot",
        ),
    ],
)
def test_a_plugin_that_cannot_be_taken_is_told_in_one_line(
    tmp_path: Path, text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(plugins.VARIABLE, "")  # and what is loaded goes with the test
    monkeypatch.setitem(sys.modules, "phantom_plugins.lab", ModuleType("lab"))
    (tmp_path / "lab.py").write_text(text)
    with pytest.raises(BadSetting, match=r"lab\.py") as refused:
        with_plugins(plugins.load(tmp_path))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library' (line 1)"),
        (PLOT_NAMED.format("mine"), "The plot 'mine' has no title. Give it one."),
    ],
    ids=["what cannot be loaded", "a plot"],
)
def test_the_command_ends_with_that_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "lab.py").write_text(text)
    refused = started(f"--plugins={tmp_path}")
    assert refused.returncode == 2
    assert "lab.py" in refused.stderr
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = started("--plugins", str(tmp_path / "none"))
    assert refused.returncode == 2
    assert refused.stderr.endswith("is not a folder. Name the one that holds the plugins.\n")


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "serve.py", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ),
    )  # fmt: skip


def test_a_fit_by_epochs_shows_how_far_it_is_and_can_be_cancelled(
    deck: Server, folder: Path, browser: Browser
) -> None:
    page = browser.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"http://127.0.0.1:{deck.dashboard_port}/calibrate")
    page.get_by_label("Decoder").select_option("patient")
    calibrate = page.get_by_role("button", name="Calibrate", exact=True)
    calibrate.click()
    page.get_by_text("Fitting patient to 75 trials, epoch 2 of at most 3").wait_for()
    (run,) = deck.get("/api/calibrations")["calibrations"]
    assert run["progress"] == pytest.approx(2 / 3 / 6)
    bar = page.get_by_role("progressbar")
    assert float(bar.get_attribute("value") or 0) == pytest.approx(111, abs=1)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("No calibration yet.").wait_for()
    assert deck.get("/api/calibrations")["count"] == 0
    (folder / "go").touch()
    calibrate.click()
    page.locator("[data-run=done]").wait_for()
    page.close()
