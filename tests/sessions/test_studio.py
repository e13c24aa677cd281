"""The studio draws one picture at a time, outlives its process, and never makes anybody wait for ever."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sessions.refusals import Busy, NotDrawn
from sessions.studio import Studio, _work
from tests.benchmarks.dashboard import wait_until

THEMES = {"light": {"text": "#000000"}, "dark": {"text": "#ffffff"}}


def perform(moment: Any, plots: Any, kind: Any, colours: Any, width: Any) -> bytes:
    """Stands for drawing, in the studio's process: does what `moment` says."""
    match moment:
        case "hang":
            threading.Event().wait()
        case Path():  # the same, and tell that it has begun
            moment.touch()
            threading.Event().wait()
        case "die":
            os._exit(1)
        case "fail":
            raise ValueError("no such colour")
    return f"{os.getpid()} {os.getpriority(os.PRIO_PROCESS, 0)} {plots} {kind} {colours} {width}".encode()


def draw(studio: Studio, moment: Any = None) -> bytes:
    return studio.draw(moment, ["raster"], "png", "dark", 300)


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio(perform, lambda: THEMES, time_limit=20.0, starting=60.0, room=2)
    yield made
    made.close()


def test_one_process_draws_all_pictures_as_other_programs_are_scheduled(studio: Studio) -> None:
    assert studio.pid is None
    first, second = draw(studio), draw(studio)
    assert first == second
    pid, niceness, order = first.decode().split(" ", 2)
    assert int(pid) == studio.pid != os.getpid()
    assert int(niceness) == 0
    assert order == "('raster',) png {'text': '#ffffff'} 300"


def test_warm_process_is_the_one_that_draws(studio: Studio) -> None:
    studio.warm()
    pid = studio.pid
    assert pid is not None
    assert draw(studio).split()[0] == str(pid).encode()
    studio.close()
    studio.warm()
    assert studio.pid is None


def load_when_told() -> None:
    """In the studio's process: load until there is a file."""
    wait_until(Path(os.environ["STUDIO_MAY_LOAD"]).exists, 20.0)


def test_picture_that_is_asked_for_too_early_can_be_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    monkeypatch.setenv("STUDIO_MAY_LOAD", str(go))
    studio = Studio(perform, lambda: THEMES, load=load_when_told, starting=0.05, time_limit=20.0)
    try:
        with pytest.raises(Busy, match="still starting"):
            draw(studio)
        pid = studio.pid
        with pytest.raises(Busy, match="still starting"):
            draw(studio)
        go.touch()
        for _ in range(400):
            with suppress(Busy):
                assert draw(studio).split()[0] == str(pid).encode()
                return
        pytest.fail("It never loaded.")
    finally:
        studio.close()


def test_limit_counts_drawing_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "go"
    monkeypatch.setenv("STUDIO_MAY_LOAD", str(go))
    studio = Studio(perform, lambda: THEMES, load=load_when_told, starting=60.0, time_limit=1.0)
    try:
        threading.Timer(1.2, go.touch).start()
        assert draw(studio)
    finally:
        studio.close()


def test_a_process_that_was_killed_is_replaced(studio: Studio) -> None:
    draw(studio)
    pid = studio.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert draw(studio).decode().split()[0] == str(studio.pid) != str(pid)


def test_a_process_that_dies_while_it_draws_costs_this_picture_alone(studio: Studio) -> None:
    with pytest.raises(NotDrawn, match="has died"):
        draw(studio, "die")
    assert draw(studio)


def test_what_fails_is_told_with_its_traceback_and_the_process_goes_on(studio: Studio) -> None:
    draw(studio)
    pid = studio.pid
    with pytest.raises(RuntimeError, match=r"(?s)in perform.*no such colour"):
        draw(studio, "fail")
    assert draw(studio).split()[0] == str(pid).encode()


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    studio = Studio(perform, lambda: THEMES, starting=60.0, time_limit=0.2)
    with pytest.raises(NotDrawn, match=r"over 0\.2 s"):
        draw(studio, "hang")
    studio.close()


def test_there_is_room_for_a_few_and_closing_ends_them_all(studio: Studio, tmp_path: Path) -> None:
    draw(studio)
    begun = tmp_path / "begun"
    outcomes: list[Exception] = []
    full = threading.Barrier(3)

    def ask() -> None:
        full.wait()
        try:
            draw(studio, begun)
        except (Busy, NotDrawn) as error:
            outcomes.append(error)
            told.release()

    told = threading.Semaphore(0)
    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert told.acquire(timeout=20)  # of three one finds no room
    assert [type(each) for each in outcomes] == [Busy]
    wait_until(begun.exists, 20.0)
    studio.close()
    for asker in askers:
        asker.join(20)
    assert [type(each) for each in outcomes] == [Busy, NotDrawn, Busy]
    assert studio.pid is None
    with pytest.raises(Busy, match="going down"):
        draw(studio)
    studio.close()


def test_a_process_whose_server_has_gone_while_it_loaded_ends_in_silence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, load_nothing, perform))
    process.start()
    theirs.close()
    ours.close()
    process.join(30.0)
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def load_nothing() -> None:
    """Stands for the libraries that draw."""
