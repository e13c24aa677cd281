"""What simulated electrodes and the detection of spikes cost, and what is found of what is true.

Usage: python -m tests.benchmarks.electrodes [SECONDS] [scipy]; SECONDS of signal for each figure, 10 unless
given. Costs are seconds of one core for a second of signal, in blocks of 10 ms; their floor is the cost of
touching all samples once. "Live" is at the signal's pace; how late another thread wakes meanwhile stands
beside how late one of another process does. "Streamed" is a server that plays a session, without listeners
and with one raw client. All settings are the defaults.
"""

from __future__ import annotations

import gc
import json
import resource
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from websocket import WebSocket, create_connection

from engine.bins.troughs import Troughs
from engine.broadband import BLOCK, SAMPLING_RATE, Engine, fastest, kernels
from engine.calibration.floors import judged
from engine.decoders import make_decoder
from engine.decoders.bins import Bins
from engine.found.finding import find
from engine.found.orders import as_found, of_spikes
from engine.sources.electrodes.array import PACKAGE as ELECTRODES
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.truth import Matched, match
from engine.sources.growing import GrowingDescription
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.stages.detection.detector import PACKAGE as DETECTION
from engine.stages.detection.detector import Detector, sections
from engine.stages.detection.noise import WINDOW
from engine.stages.detection.settings import Detection
from engine.view import PLAIN, SCOPE, changed
from plotters.array import Array
from plotters.base import LATE, Scene, Trace
from plotters.frame import describe
from plotters.raster import Raster
from plotters.scope import Scope
from plotters.waveforms import Waveforms
from tests.benchmarks import REACH98, ROOT, emit, server, sleep_floor, spread
from tests.benchmarks.dashboard import cpu_seconds, cpu_share, post
from tests.benchmarks.decoders import streamed as answered
from tests.builders import play, small_recording
from tests.plotters.playing import news_of

CHANNELS = (96, 256, 1024)
THRESHOLDS = (3.5, 4.0, 4.5)
DECODED_BY = ("wiener", "kalman")
TRAINED_ON, TESTED_ON = range(600), range(600, 800)
NOISES = (0.5, 1.0, 2.0)
"""Times the usual noise."""
LEARNED_ON, CHOSEN_ON = TRAINED_ON[:500], TRAINED_ON[500:]
BLOCKS_A_SECOND = SAMPLING_RATE // BLOCK
SETTLING = 15.0
SWITCH_INTERVAL = 2e-4
"""As the server has it."""


def cost(run: Callable[[], object], blocks: int = 50) -> float:
    """Seconds of a core for a second of signal; the median of blocks."""
    took = []
    for _ in range(blocks):
        start = time.thread_time()
        run()
        took.append(time.thread_time() - start)
    return float(np.median(took)) * BLOCKS_A_SECOND


def stages(n_channels: int, engine: Engine) -> dict[str, float]:
    """What each inner loop costs by itself."""
    made, found = kernels(ELECTRODES, engine), kernels(DETECTION, engine)
    noise = made.Noise(np.random.SeedSequence(0), n_channels)
    level, shared = np.ones(n_channels, np.float32), np.zeros(BLOCK, np.float32)
    voltages, filtered = (np.zeros((BLOCK, n_channels), np.float32) for _ in range(2))
    counts = np.zeros((BLOCK, n_channels), np.int16)
    band = found.BandPass(sections(Detection()), n_channels)
    n = round(2 * 27.5 * n_channels / BLOCKS_A_SECOND)  # spikes in a block, of all units together
    rng = np.random.default_rng(0)
    onsets = np.sort(rng.integers(0, BLOCK, n))
    channels = rng.integers(0, n_channels, n).astype(np.int32)
    waveforms = np.ones((n, 48), np.float32)
    last, energy = np.full(n_channels, -SAMPLING_RATE), np.zeros(n_channels, np.float32)
    return {
        "noise": cost(lambda: noise.fill(voltages, 20 * level, 8 * level, shared, level)),
        "spikes": cost(lambda: made.add_spikes(voltages, 0, onsets, channels, waveforms)),
        "quantize": cost(lambda: made.quantize(voltages, 4.0, counts)),
        "filter": cost(lambda: band.run(counts, 0.25, filtered)),
        "threshold": cost(lambda: found.cross(filtered, level, -50 * level, 0, last)),
        "power": cost(lambda: found.add_squares(filtered, energy)),
        "reference": cost(lambda: found.subtract_mean(filtered, level > 0)),
        "floor": cost(lambda: np.multiply(voltages, level, out=filtered)),
    }


def whole(n_channels: int, engine: Engine, seconds: float) -> dict[str, object]:
    """Voltages, detection and features, back to back: their costs, and how long a block takes."""
    array = ElectrodeArray(Electrodes(n_channels=n_channels), engine=engine)
    detector = Detector(n_channels, array.settings.microvolts_per_count, engine=engine)
    for _ in range(BLOCKS_A_SECOND // 2):
        detector.process(array.read().voltages)
    simulated, detected, took = 0.0, 0.0, []
    blocks = round(seconds * BLOCKS_A_SECOND)
    for _ in range(blocks):
        start, begun = time.perf_counter(), time.thread_time()
        block = array.read()
        made = time.thread_time()
        detector.process(block.voltages)
        simulated, detected = simulated + made - begun, detected + time.thread_time() - made
        took.append(time.perf_counter() - start)
    core = (simulated + detected) * BLOCKS_A_SECOND / blocks
    return {
        "simulation": simulated * BLOCKS_A_SECOND / blocks,
        "detection": detected * BLOCKS_A_SECOND / blocks,
        "core_share": core,
        "real_time_factor": 1 / core,
        "block_ms": spread(took),
    }


def live(n_channels: int, engine: Engine, seconds: float) -> dict[str, object]:
    """The same at its pace: the share of a core, lateness of blocks, and how long other threads wait."""
    array = ElectrodeArray(Electrodes(n_channels=n_channels), engine=engine)
    detector = Detector(n_channels, array.settings.microvolts_per_count, engine=engine)
    for _ in range(BLOCKS_A_SECOND):
        detector.process(array.read().voltages)
    gc.collect()
    gc.freeze()  # as the server does
    ready: list[float] = []
    used: list[float] = []

    def run() -> None:
        began = time.thread_time()
        for k in range(1, round(seconds * BLOCKS_A_SECOND) + 1):
            due = start + k * BLOCK / SAMPLING_RATE
            time.sleep(max(due - time.perf_counter(), 0))
            detector.process(array.read().voltages)
            ready.append(time.perf_counter() - due)
        used.append(time.thread_time() - began)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("begins", flush=True)
    start = time.perf_counter()
    thread = threading.Thread(target=run)
    thread.start()
    others = sleep_floor(0.002, seconds)
    thread.join()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "core_share": used[0] / seconds,
        "ready_ms_after_due": spread(ready),
        "others_late_ms": others,
        "memory_grown_mb": grown / 1024,
        "memory_mb": (before + grown) / 1024,
    }


def beside(n_channels: int, engine: Engine, seconds: float) -> dict[str, object]:
    """`live` in a process of its own, and beside it how late a thread of this one wakes."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.electrodes",
        "live",
        str(n_channels),
        engine,
        str(seconds),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        floor = sleep_floor(0.002, seconds)
        return {**json.loads(process.stdout.readline()), "others_floor_ms": floor}


def streamed(n_channels: int, seconds: float) -> dict[str, object]:
    """What a server takes that plays a session, without and with a raw client, and how late blocks are."""
    late, lost, length = [], 0, BLOCK / SAMPLING_RATE

    def connected() -> WebSocket:
        return create_connection(f"ws://127.0.0.1:{ours.port}/stream/raw/wires", timeout=60)

    with server("--source", f"electrodes:{n_channels}", "--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": "wires"})
        socket = connected()
        socket.recv()
        socket.recv()  # all is compiled, and it plays
        socket.close()
        time.sleep(SETTLING)  # pages are made ahead meanwhile
        alone = cpu_share(ours.pid, seconds)
        socket = connected()
        header = struct.Struct(json.loads(socket.recv())["header"]["struct"])
        busy, used, began = cpu_seconds(ours.pid), time.thread_time(), time.perf_counter()
        for _ in range(round(seconds * BLOCKS_A_SECOND)):
            *_, at, flags = header.unpack_from(socket.recv())
            late.append(time.time() - at - length)
            lost += flags
        took = time.perf_counter() - began
        busy, used = cpu_seconds(ours.pid) - busy, time.thread_time() - used
        socket.close()
    return {
        "core_share_alone": alone / 100,
        "core_share": busy / took,
        "core_share_client": used / took,
        "block_ms_after_due": spread(late),
        "losses": lost,
    }


def found_of_true(k: float, engine: Engine, seconds: float) -> tuple[Matched, float]:
    """Spikes found on 96 channels, from the second second on, and the mean of the noise, uV."""
    array = ElectrodeArray(Electrodes(), engine=engine)
    n_channels = array.settings.n_channels
    detector = Detector(n_channels, array.settings.microvolts_per_count, Detection(k=k), engine=engine)
    true, found = [], []
    for _ in range(round(seconds) + 1):
        block = array.read(SAMPLING_RATE)
        waveforms = detector.process(block.voltages).waveforms
        true.append((block.spikes.samples, array.channels[block.spikes.units]))
        found.append((waveforms.troughs, waveforms.channels))
    last = (round(seconds) + 1) * SAMPLING_RATE - WINDOW
    pairs = []
    for each in (true, found):
        samples, channels = (np.concatenate(column) for column in zip(*each, strict=True))
        inside = (samples >= SAMPLING_RATE) & (samples < last)
        pairs += [samples[inside], channels[inside]]
    return match(*pairs, n_channels), float(detector.noise.mean())


def velocity_r2(
    recording: Recording, key: str, trained_on: range = TRAINED_ON, tested_on: range = TESTED_ON
) -> float:
    """Of a decoder calibrated on some trials, on others: as a rule the first 600, and the last 200."""
    decoder = make_decoder(key, recording.bin_rate)
    trained, tested = Bins.of(recording, trained_on), Bins.of(recording, tested_on)
    trained.teach(decoder)
    said, _ = answered(decoder, tested, decoder.uses_truth)
    return judged(tested, said).r2_velocity


def plots(frames: int = 400) -> dict[str, dict[str, float]]:
    """What plots of 96 electrodes, 16 of them in the scope, and the raster of 142 units cost in a frame.

    Median, mean and most, ms of a core; on the electrode with waveforms 40 spikes a second are found.
    """
    rng = np.random.default_rng(0)
    description = GrowingDescription("wires", tuple(map(str, range(96))), 40.0)
    description.sampled = True
    scene, recording, wires = Scene(description), small_recording(142, frames), small_recording(96, frames)
    drawn = Scope(scene), Waveforms(scene), Array(scene), Raster(Scene(recording))
    per_bin = SAMPLING_RATE // 40
    nothing = Troughs(np.zeros(0, np.int64), np.zeros(0, np.int32))
    view = changed(PLAIN, {"scope_channels": list(range(SCOPE))}, description)
    levels = np.full(96, 10.0, np.float32)
    took = np.zeros((frames, len(drawn)))
    units, electrodes = play(recording, range(frames)), play(wires, range(frames))
    for number in range(frames):
        samples = rng.normal(0.0, 20.0, (per_bin, SCOPE)).astype(np.float32)
        first = number * per_bin
        spike = Troughs(np.array([first - LATE]), np.zeros(1, np.int32))
        told = replace(
            news_of(wires, electrodes[: number + 1], 1),
            view=view,
            trace=Trace(first, samples, nothing, nothing),
            single=Trace(first, samples[:, :1], spike, spike),
            noise=levels,
            thresholds=-4 * levels,
        )
        for column, plot in enumerate(drawn):
            news = news_of(recording, units[: number + 1], 1) if isinstance(plot, Raster) else told
            start = time.thread_time()
            describe(plot.name, plot.update(news) if plot.should_update(news) else ())
            took[number, column] = 1000 * (time.thread_time() - start)
    return {
        plot.name: {"p50": float(np.median(ms)), "mean": float(ms.mean()), "max": float(ms.max())}
        for plot, ms in zip(drawn, took.T, strict=True)
    }


def decoding() -> None:
    """What decoders make of found counts, beside what they make of the true ones, by noise.

    The threshold is the best of three on the last training trials, of a decoder that has learned from those
    before.
    """
    recording, usual = read(REACH98, 40.0), Electrodes()
    own = {key: velocity_r2(recording, key) for key in DECODED_BY}
    for noise in NOISES:
        electrodes = Electrodes(pink=noise * usual.pink, thermal=noise * usual.thermal)
        found = {}
        for k in THRESHOLDS:
            order = of_spikes(recording, electrodes, Detection(k=k))
            found[k] = as_found(recording, order, find(order, lambda _: None))
        for key in DECODED_BY:
            within = {k: velocity_r2(each, key, LEARNED_ON, CHOSEN_ON) for k, each in found.items()}
            tested = {k: velocity_r2(each, key) for k, each in found.items()}
            k = max(within, key=within.__getitem__)
            emit(
                "decoding",
                decoder=key,
                noise=noise,
                k=k,
                r2_found=tested[k],
                r2_true=own[key],
                share=tested[k] / own[key],
                by_k={k: round(r2, 4) for k, r2 in tested.items()},
            )


def main(seconds: float, engine: Engine) -> None:
    emit("electrodes", engine=engine, seconds=seconds)
    costs = []
    for n_channels in CHANNELS:
        emit("stages", channels=n_channels, **stages(n_channels, engine))
        figures = whole(n_channels, engine, seconds)
        costs.append(figures["core_share"])
        emit("back to back", channels=n_channels, **figures)
    exponent = np.polyfit(np.log(CHANNELS), np.log(np.array(costs, float)), 1)[0]
    emit("growth", exponent=float(exponent), linear=1)
    for n_channels in CHANNELS:
        emit("live", channels=n_channels, **beside(n_channels, engine, seconds))
    if engine == fastest():  # which is the server's
        for n_channels in CHANNELS:
            emit("streamed", channels=n_channels, **streamed(n_channels, seconds))
    for k in THRESHOLDS:
        matched, noise = found_of_true(k, engine, seconds)
        mean, deviation = matched.timing_error
        emit(
            "truth",
            k=k,
            recall=matched.recall_in_all,
            precision=matched.precision_in_all,
            channels_recall=spread(matched.recall, 1.0)["p50"],
            late_microseconds=mean * 1e6,
            jitter_microseconds=deviation * 1e6,
            true=int(matched.n_true.sum()),
            found=int(matched.n_found.sum()),
            noise_uv=noise,
        )
    if engine != fastest():
        return
    emit("plots, ms a frame", **plots())
    if REACH98.exists():
        decoding()
    else:
        emit("decoding", skipped=f"{REACH98} is not there")


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL)
    if sys.argv[1:2] == ["live"]:
        of, by, length = sys.argv[2:]
        print(json.dumps(live(int(of), by, float(length))))
        sys.exit()
    given = [each for each in sys.argv[1:] if each != "scipy"]
    main(float(given[0]) if given else 10.0, "scipy" if "scipy" in sys.argv else fastest())
