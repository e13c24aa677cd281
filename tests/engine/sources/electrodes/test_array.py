"""Simulated voltages: what is in them, and that their truth is true."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from engine.broadband import SAMPLING_RATE, TROUGH, WAVEFORM, Engine
from engine.errors import BadSetting
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.trains import Played, Spikes

ENGINES = ("numba", "scipy")
SILENT = {"pink": 0.0, "thermal": 0.0, "units_per_channel": (0, 0)}
SIZES = (1, 7, 292, 1000, 3000, 4700)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


def microvolts(settings: Electrodes, n: int, engine: Engine) -> tuple[np.ndarray, Spikes]:
    block = ElectrodeArray(settings, engine=engine).read(n)
    return block.voltages * settings.microvolts_per_count, block.spikes


def test_the_same_seed_gives_the_same_samples_and_spikes_in_blocks_of_any_size(engine: Engine) -> None:
    settings = Electrodes(n_channels=5, line=5.0, common=3.0, bursts=300.0, shorted=[(0, 1)], seed=3)
    whole = ElectrodeArray(settings, engine=engine).read(sum(SIZES))
    array = ElectrodeArray(settings, engine=engine)
    blocks = [array.read(n) for n in SIZES]
    np.testing.assert_array_equal(np.concatenate([each.voltages for each in blocks]), whole.voltages)
    np.testing.assert_array_equal(
        np.concatenate([each.spikes.samples for each in blocks]), whole.spikes.samples
    )
    np.testing.assert_array_equal(
        np.concatenate([each.spikes.units for each in blocks]), whole.spikes.units
    )
    assert [each.first for each in blocks] == np.cumsum([0, *SIZES[:-1]]).tolist()


def test_another_seed_gives_other_samples(engine: Engine) -> None:
    one, other = (microvolts(Electrodes(n_channels=2, seed=seed), 300, engine)[0] for seed in (0, 1))
    assert (one != other).mean() > 0.9


def test_troughs_are_where_truth_says_to_the_sample(engine: Engine) -> None:
    settings = Electrodes(n_channels=3, **SILENT | {"units_per_channel": (1, 1)}, microvolts_per_count=0.01)
    array = ElectrodeArray(settings, engine=engine)
    block = array.read(60_000)
    samples, channels = block.spikes.samples, array.channels[block.spikes.units]
    alone = np.array(
        [
            np.sum((channels == c) & (abs(samples - s) < WAVEFORM)) == 1
            for s, c in zip(samples, channels, strict=True)
        ]
    )
    inside = alone & (samples > WAVEFORM) & (samples < 60_000 - WAVEFORM)
    assert inside.sum() > 50
    for sample, channel in zip(samples[inside], channels[inside], strict=True):
        around = block.voltages[sample - TROUGH : sample + WAVEFORM - TROUGH, channel]
        assert around.argmin() == TROUGH
        assert -120 * 1.1 * 1.6 < around.min() * 0.01 < -40 * 0.9 * 0.4


def test_a_recordings_spikes_are_at_their_own_times_and_begin_again(engine: Engine) -> None:
    times = [np.array([0.5, 0.7, 0.9]), np.array([0.45, 0.6])]
    array = ElectrodeArray(Electrodes(n_channels=2), Played(times, start=0.4, duration=0.5), engine)
    spikes = [array.read(n).spikes for n in (4000, 11_000, 12_000)]
    samples = np.concatenate([each.samples for each in spikes])
    units = np.concatenate([each.units for each in spikes])
    np.testing.assert_array_equal(samples[:6], [1500, 3000, 6000, 9000, 16_500, 18_000])
    np.testing.assert_array_equal(units[:6], [1, 0, 1, 0, 1, 0])


def test_98_units_on_96_channels_are_dealt_in_turn() -> None:
    array = ElectrodeArray(Electrodes(), Played([np.zeros(0)] * 98), "scipy")
    np.testing.assert_array_equal(np.bincount(array.channels), [2, 2, *[1] * 94])
    own = array.waveforms[[0, 96]] / array.waveforms[[0, 96]].min(axis=1, keepdims=True)
    assert abs(own[0] - own[1]).max() > 0.05


def test_units_at_random_have_their_rates_and_never_fire_within_a_millisecond() -> None:
    settings = Electrodes(n_channels=40, **SILENT | {"units_per_channel": (1, 1)}, baseline=(100.0, 100.0))
    array = ElectrodeArray(settings, engine="scipy")
    for _ in range(4):
        array.intend(np.repeat([1.0, -1.0], 20))
        spikes = array.read(30_000).spikes
        rates = np.bincount(spikes.units, minlength=40)
        assert rates[:20].mean() == pytest.approx(150, abs=9)
        assert rates[20:].mean() == pytest.approx(50, abs=5)
        for unit in range(40):
            assert np.diff(spikes.samples[spikes.units == unit]).min() >= 30


def test_a_direction_modulates_units_by_the_cosine_to_their_own_and_no_rate_exceeds_the_ceiling() -> None:
    settings = Electrodes(n_channels=200, **SILENT | {"units_per_channel": (1, 1)}, baseline=(180.0, 180.0))
    array = ElectrodeArray(settings, engine="numba")
    array.intend((0.0, 5.0))
    rates = np.bincount(array.read(60_000).spikes.units, minlength=200) / 2
    expected = np.minimum(180 * (1 + 0.5 * np.sin(array.directions)), 200)
    assert abs(rates - expected).mean() < 8
    assert (rates - expected).mean() == pytest.approx(0, abs=2)


def test_the_tissues_noise_falls_by_3_decibels_an_octave_and_has_its_level(engine: Engine) -> None:
    settings = Electrodes(n_channels=8, **SILENT | {"pink": 20.0})
    voltages, _ = microvolts(settings, 4 * SAMPLING_RATE, engine)
    frequencies, power = signal.welch(voltages, SAMPLING_RATE, nperseg=8192, axis=0)
    band = (frequencies > 20) & (frequencies < 10_000)
    slope = np.polyfit(np.log(frequencies[band]), np.log(power[band].mean(axis=1)), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)
    assert voltages.std() == pytest.approx(20, rel=0.1)
    assert abs(np.corrcoef(voltages.T) - np.eye(8)).max() < 0.3


def test_thermal_noise_is_white_and_has_its_level(engine: Engine) -> None:
    voltages, _ = microvolts(Electrodes(n_channels=8, **SILENT | {"thermal": 8.0}), SAMPLING_RATE, engine)
    frequencies, power = signal.welch(voltages, SAMPLING_RATE, nperseg=1024, axis=0)
    density = power[1:-1].mean(axis=1) / power.mean()
    assert np.polyfit(frequencies[1:-1] / 15_000, density, 1)[0] == pytest.approx(0, abs=0.05)
    assert voltages.std() == pytest.approx(8, rel=0.02)


def test_in_the_band_of_spikes_all_noise_together_is_normal(engine: Engine) -> None:
    voltages, _ = microvolts(Electrodes(n_channels=16, units_per_channel=(0, 0)), 60_000, engine)
    band = signal.butter(2, (300, 3000), "bandpass", fs=SAMPLING_RATE, output="sos")
    filtered = signal.sosfilt(band, voltages, axis=0)[1000:]
    z = filtered / filtered.std()
    beyond = [(abs(z) > sigma).mean() for sigma in (1, 2, 3, 4)]
    np.testing.assert_allclose(beyond[:3], [0.3173, 0.0455, 0.0027], rtol=0.15)
    assert 2e-5 < beyond[3] < 1.1e-4  # 6.3e-5 of a normal one


def test_channels_of_a_wide_array_are_independent(engine: Engine) -> None:
    settings = Electrodes(n_channels=300, **SILENT | {"pink": 20.0, "thermal": 8.0})
    voltages, _ = microvolts(settings, 3000, engine)
    white = np.diff(voltages, axis=0)  # of pink noise nearly
    others = np.corrcoef(white.T) - np.eye(300)
    assert abs(others).max() < 6 / np.sqrt(3000)
    np.testing.assert_allclose(white.std(axis=0), white.std(), rtol=0.1)


@pytest.mark.parametrize("frequency", [50, 60])
def test_the_mains_hum_at_their_frequency_on_all_channels(engine: Engine, frequency: int) -> None:
    settings = Electrodes(
        n_channels=4, pink=5.0, units_per_channel=(0, 0), line=20.0, line_frequency=frequency
    )
    voltages, _ = microvolts(settings, SAMPLING_RATE, engine)
    spectrum = abs(np.fft.rfft(voltages, axis=0)) / (SAMPLING_RATE / 2)  # amplitudes, 1 Hz apart
    assert (spectrum[5:].argmax(axis=0) + 5 == frequency).all()
    np.testing.assert_allclose(spectrum[frequency], 20, rtol=0.25)


def test_common_noise_and_artefacts_are_on_all_channels(engine: Engine) -> None:
    voltages, _ = microvolts(Electrodes(n_channels=4, **SILENT | {"common": 10.0}), SAMPLING_RATE, engine)
    assert np.corrcoef(voltages.T).min() > 0.99
    bursts = Electrodes(n_channels=4, **SILENT, bursts=60.0, burst=1000.0)
    voltages, _ = microvolts(bursts, 4 * SAMPLING_RATE, engine)
    assert 790 < abs(voltages).max() < 1210
    assert 0.02 < (abs(voltages).max(axis=1) > 0).mean() < 0.4


def test_what_all_channels_share_comes_and_goes_while_they_play(engine: Engine) -> None:
    def played() -> list[np.ndarray]:
        array = ElectrodeArray(Electrodes(n_channels=2, **SILENT, seed=5), engine=engine)
        blocks = [array.read(SAMPLING_RATE).voltages]
        for change in ({"line": 20.0}, {"line": 0.0, "common": 10.0}, {"common": 0.0, "bursts": 600.0}):
            array.change(array.settings.changed(change))
            blocks.append(array.read(SAMPLING_RATE).voltages)
        array.change(array.settings.changed({"bursts": 0.0}))
        return [*blocks, array.read(SAMPLING_RATE).voltages]

    silent, hum, common, bursts, after = (0.25 * block for block in played())
    assert not silent.any()
    assert not after.any()
    assert 14 < abs(hum).max() < 26
    assert 5 < common.std() < 15
    assert abs(bursts).max() > 790
    assert all(map(np.array_equal, played(), played()))


def test_dead_noisy_and_shorted_channels_are_so(engine: Engine) -> None:
    settings = Electrodes(n_channels=6, dead=[1], noisy=[2], shorted=[(4, 5)], line=10.0)
    voltages, _ = microvolts(settings, 6000, engine)
    assert voltages[:, 1].std() == pytest.approx(1, rel=0.1)
    assert voltages[:, 2].std() > 95
    np.testing.assert_array_equal(voltages[:, 4], voltages[:, 5])
    assert voltages[:, [0, 3]].std() < 50


def test_what_amplifiers_cannot_show_is_clipped(engine: Engine) -> None:
    settings = Electrodes(n_channels=1, **SILENT | {"thermal": 100.0}, microvolts_per_count=0.001)
    block = ElectrodeArray(settings, engine=engine).read(3000)
    assert (block.voltages.min(), block.voltages.max()) == (-32768, 32767)


def test_what_cannot_be_is_refused_in_one_line() -> None:
    with pytest.raises(BadSetting, match=r"Unknown channel 7\. There are 0 to 3\."):
        Electrodes(n_channels=4, dead=[7])
    array = ElectrodeArray(Electrodes(n_channels=4), engine="scipy")
    with pytest.raises(BadSetting, match="two numbers, or one for each of 4 channels"):
        array.intend([0.1, 0.2, 0.3])
    played = ElectrodeArray(Electrodes(n_channels=4), Played([np.zeros(0)]), "scipy")
    with pytest.raises(BadSetting, match="as in their recording"):
        played.intend((1, 0))
