"""Spikes found in blocks, against all that can be had with the whole signal at hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import signal

from engine.broadband import SAMPLING_RATE, TROUGH, WAVEFORM, Engine
from engine.errors import BadSetting
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.stages.detection.components import Components
from engine.stages.detection.detector import Detector
from engine.stages.detection.found import BinFeatures, Waveforms
from engine.stages.detection.settings import Detection

ENGINES = ("numba", "scipy")
SECONDS = 3
WINDOW = 6000


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture(scope="module")
def electrodes() -> Electrodes:
    return Electrodes(n_channels=8, common=10.0, baseline=(20.0, 60.0), seed=5)


@pytest.fixture(scope="module")
def voltages(electrodes: Electrodes) -> np.ndarray:
    return ElectrodeArray(electrodes, engine="scipy").read(SECONDS * SAMPLING_RATE).voltages


def found_in(
    voltages: np.ndarray,
    settings: Detection,
    engine: Engine,
    sizes: Sequence[int] | None = None,
    **options: float,
) -> tuple[np.ndarray, Waveforms, list[BinFeatures], Detector]:
    """Crossings as (sample, channel), waveforms, bins and the detector, of blocks of some sizes."""
    detector = Detector(voltages.shape[1], 0.25, settings, engine=engine, **options)
    edges = [0, len(voltages)] if sizes is None else [*np.cumsum([0, *sizes]), len(voltages)]
    parts = [detector.process(voltages[a:b]) for a, b in itertools.pairwise(edges)]
    crossings = [
        np.concatenate([getattr(part, name) for part in parts]) for name in ("samples", "channels")
    ]
    waveforms = Waveforms(*map(np.concatenate, zip(*(part.waveforms for part in parts), strict=True)))
    return np.column_stack(crossings), waveforms, [b for part in parts for b in part.bins], detector


def offline(
    voltages: np.ndarray, k: float, reference: bool, time_constant: float = 5.0
) -> tuple[np.ndarray, np.ndarray]:
    """The same with all samples at hand, in double precision: (sample, channel) and the filtered signal."""
    band = signal.butter(2, (300, 3000), "bandpass", fs=SAMPLING_RATE, output="sos")
    filtered = signal.sosfilt(band, voltages * 0.25, axis=0)
    if reference:
        filtered -= filtered.mean(axis=1, keepdims=True)
    thresholds = np.full(filtered.shape, -np.inf)
    noise = None
    for window in range(1, len(filtered) // WINDOW):
        fresh = np.median(abs(filtered[(window - 1) * WINDOW : window * WINDOW : 20]), axis=0) / 0.6745
        gain = max(1 / window, 1 - np.exp(-0.2 / time_constant))
        noise = fresh if noise is None else noise + gain * (np.minimum(fresh, 1.5 * noise) - noise)
        thresholds[window * WINDOW : (window + 1) * WINDOW] = -k * noise
    spikes = []
    for channel in range(filtered.shape[1]):
        y, threshold = filtered[:, channel], thresholds[:, channel]
        begins = np.flatnonzero((y[1:] < threshold[1:]) & (y[:-1] >= threshold[1:])) + 1
        last = -SAMPLING_RATE
        for sample in begins:
            if sample - last >= 30:
                spikes.append((sample, channel))
                last = sample
    return np.array(sorted(spikes)), filtered


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("k", [3.5, 4.5])
def test_spikes_are_those_of_an_offline_detection_within_a_sample(
    voltages: np.ndarray, engine: Engine, k: float, reference: bool
) -> None:
    crossings, *_ = found_in(voltages, Detection(k=k, reference=reference), engine)
    expected, _ = offline(voltages, k, reference)
    assert len(expected) > 200
    for one, other in ((crossings, expected), (expected, crossings)):
        near = {(s + d, c) for s, c in other.tolist() for d in (-1, 0, 1)}
        assert np.mean([tuple(spike) in near for spike in one.tolist()]) >= 0.999


def test_a_wide_array_is_found_alike_by_both_engines() -> None:
    settings = Electrodes(n_channels=300, units_per_channel=(2, 2), baseline=(50.0, 50.0))
    voltages = ElectrodeArray(settings, engine="numba").read(15_000).voltages
    one, other = (set(map(tuple, found_in(voltages, Detection(), each)[0].tolist())) for each in ENGINES)
    for begin in range(0, 300, 50):
        assert sum(begin <= channel < begin + 50 for _, channel in one) > 100
    assert len(one ^ other) < 0.005 * len(one)


@pytest.mark.parametrize("size", [1, 37, 300, 4096])
def test_blocks_of_any_size_give_the_same_spikes_waveforms_and_bins(
    voltages: np.ndarray, engine: Engine, size: int
) -> None:
    part = voltages[:9000] if size == 1 else voltages
    sizes = [size] * ((len(part) - 1) // size)
    settings = Detection(fitted_on=256)
    whole, cut = (found_in(part, settings, engine, each) for each in (None, sizes))
    np.testing.assert_array_equal(whole[0], cut[0])
    for one, other in zip(whole[1], cut[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)
    assert [b.number for b in whole[2]] == [b.number for b in cut[2]] == list(range(len(part) // 750))
    for one, other in zip(whole[2], cut[2], strict=True):
        np.testing.assert_array_equal(one.counts, other.counts)
        np.testing.assert_allclose(one.features, other.features, rtol=1e-3, atol=1e-3)


def test_waveforms_are_the_filtered_signal_around_its_trough(voltages: np.ndarray, engine: Engine) -> None:
    _, waveforms, _, _ = found_in(voltages, Detection(), engine)
    _, filtered = offline(voltages, 4.0, False)
    for crossing, trough, channel, values in zip(*waveforms[:4], strict=True):
        assert 0 <= trough - crossing < 18
        expected = filtered[trough - TROUGH : trough + WAVEFORM - TROUGH, channel]
        np.testing.assert_allclose(values, expected, atol=0.05)
        assert values[TROUGH] <= values[TROUGH : TROUGH + 18 - (trough - crossing)].min()


def test_counts_and_power_of_bins_are_those_of_their_samples(voltages: np.ndarray, engine: Engine) -> None:
    crossings, _, bins, _ = found_in(voltages, Detection(), engine, bin_rate=70.0)
    _, filtered = offline(voltages, 4.0, False)
    edges = np.ceil(np.arange(len(bins) + 1) * SAMPLING_RATE / 70).astype(int)
    assert len(bins) == SECONDS * 70
    for k, (begin, end) in enumerate(itertools.pairwise(edges)):
        inside = (crossings[:, 0] >= begin) & (crossings[:, 0] < end)
        expected = np.bincount(crossings[inside, 1], minlength=8)
        np.testing.assert_array_equal(bins[k].counts, expected)
        np.testing.assert_array_equal(bins[k].features[:, 0], expected)
        np.testing.assert_allclose(
            bins[k].features[:, 1], (filtered[begin:end] ** 2).mean(axis=0), rtol=1e-2
        )


def test_missing_channels_find_nothing_and_are_nan_and_out_of_the_reference(
    voltages: np.ndarray, engine: Engine
) -> None:
    disturbed = voltages.copy()
    disturbed[:, 3] = np.random.default_rng(0).integers(-30_000, 30_000, len(voltages))
    both = []
    for given in (voltages, disturbed):
        detector = Detector(8, 0.25, Detection(reference=True, missing=[3]), engine=engine)
        both.append(detector.process(given))
    np.testing.assert_array_equal(both[0].samples, both[1].samples)
    assert len(both[1].samples) > 100
    assert 3 not in both[1].channels
    assert all(np.isnan(b.features[3]).all() and b.counts[3] == 0 for b in both[1].bins)
    assert np.isfinite([b.features[4] for b in both[1].bins]).all()


def test_the_noise_is_that_of_the_channel_without_its_spikes(engine: Engine) -> None:
    quiet = {"n_channels": 4, "seed": 1}
    levels = []
    for units in ((0, 0), (1, 1)):
        settings = Electrodes(**quiet, units_per_channel=units, baseline=(40.0, 40.0))
        voltages = ElectrodeArray(settings, engine=engine).read(SAMPLING_RATE).voltages
        levels.append(found_in(voltages, Detection(), engine)[3].noise)
    np.testing.assert_allclose(levels[1], levels[0], rtol=0.15)


def test_an_artefact_does_not_raise_the_noise_and_a_lasting_change_does(
    voltages: np.ndarray, engine: Engine
) -> None:
    settings = Detection(time_constant=1.0)
    before = found_in(voltages, settings, engine)[3].noise
    burst, louder = voltages.copy(), np.concatenate([voltages] + [voltages * 3] * 3)
    burst[-9000:] = burst[-9000:] * 50.0 % 30_000
    np.testing.assert_array_less(found_in(burst, settings, engine)[3].noise, 1.3 * before)
    np.testing.assert_allclose(found_in(louder, settings, engine)[3].noise, 3 * before, rtol=0.15)


def test_thresholds_set_by_hand_hold_and_those_of_others_follow_their_noise(voltages: np.ndarray) -> None:
    detector = Detector(8, 0.25, Detection(thresholds=[(0, -60.0)]), engine="scipy")
    found = detector.process(voltages)
    assert detector.thresholds[0] == -60
    np.testing.assert_allclose(detector.thresholds[1:], -4 * detector.noise[1:], rtol=1e-6)
    troughs = found.waveforms.values[found.waveforms.channels == 0].min(axis=1)
    assert len(troughs) > 10
    assert troughs.max() < -60
    detector.tune({"thresholds": []})
    assert detector.thresholds[0] == pytest.approx(-4 * detector.noise[0])
    for given, said in (
        ([(0, 60.0)], "below 0 uV, not 60"),
        ([(8, -60.0)], r"Unknown channel 8\. There are 0 to 7"),
        ([(1, -60.0), (1, -50.0)], "Channel 1 has two thresholds"),
    ):
        with pytest.raises(BadSetting, match=said):
            detector.tune({"thresholds": given})
    assert detector.settings.thresholds == []


def test_a_detector_of_other_channels_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"shape \(n, 8\), not \(10, 7\)"):
        Detector(8, 0.25, engine="scipy").process(np.zeros((10, 7), np.int16))


def test_components_are_those_of_all_waveforms_at_once() -> None:
    rng = np.random.default_rng(0)
    waveforms = (rng.standard_normal((1024, 3)) * (9, 4, 1)) @ rng.standard_normal((3, WAVEFORM)) + 5
    components = Components(2, "frozen", 1024)
    assert np.isnan(components.add(waveforms[:1000].astype(np.float32))).all()
    components.add(waveforms[1000:].astype(np.float32))
    _, singular, expected = np.linalg.svd(waveforms - waveforms.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(abs((components.basis * expected[:2]).sum(axis=1)), 1, rtol=1e-6)
    np.testing.assert_allclose(components.explained, (singular**2 / (singular**2).sum())[:2], rtol=1e-5)
    scores = components.add(waveforms[:10].astype(np.float32))
    np.testing.assert_allclose(
        scores, (waveforms[:10] - waveforms.mean(axis=0)) @ components.basis.T, rtol=1e-4
    )


def test_frozen_components_stay_and_adapting_ones_follow() -> None:
    rng = np.random.default_rng(0)
    early, late = (
        np.outer(rng.standard_normal(n), np.eye(WAVEFORM)[i]) for i, n in ((5, 512), (9, 80_000))
    )
    turned = {}
    for mode in ("frozen", "adapting"):
        components = Components(1, mode, 512)
        components.add(early.astype(np.float32))
        components.add(late.astype(np.float32))
        turned[mode] = abs(components.basis[0, 9])
    assert turned["frozen"] < 0.01
    assert turned["adapting"] > 0.99
