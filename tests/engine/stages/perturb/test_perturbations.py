"""Perturbations follow their formulas, and depend on seed, model and sequence number alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.errors import BadSetting
from engine.stages.perturb import MODELS, PRESETS, Perturbations, model_names
from engine.stages.perturb.base import Draws
from tests.engine.stages.perturb.disturbing import RATE, delivered, perturbed, tuned_recording

N_UNITS = 6
NOISE, DRIFT = 1, 2


def steady(n: int, count: int = 5, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    return np.full((n, N_UNITS), count, dtype)


# Formulas


@pytest.mark.parametrize("count", [50, 1000])
@pytest.mark.parametrize("sd", [0.05, 0.2, 1.0])
def test_noise_spreads_in_proportion_to_the_count(count: int, sd: float) -> None:
    noisy = perturbed(steady(20_000, count, np.uint16), {"noise": {"enabled": True, "sd": sd}})
    expected = np.hypot(sd * count, 1 / np.sqrt(6))  # rounding by a draw adds a variance of a sixth

    assert np.std(noisy.astype(float)) == pytest.approx(expected, rel=0.05)


def test_noise_is_the_count_times_a_seeded_factor_and_rounded_up_or_down() -> None:
    counts = np.arange(64 * N_UNITS).reshape(64, N_UNITS).astype(np.uint16)
    drawn = Draws(1, "noise", N_UNITS).normal(0, 64).astype(np.float64)
    s2 = np.log(1 + 0.2**2)
    expected = counts * np.exp(np.sqrt(s2) * drawn - s2 / 2)
    noisy = perturbed(counts, {"noise": {"enabled": True, "sd": 0.2}})

    assert (np.abs(noisy - expected) < 1.001).all()


def sparse(n: int = 4000) -> npt.NDArray[Any]:
    """Units of 0, 500, 1,000, ... spikes in all, as chance has them."""
    rates = 500 * np.arange(N_UNITS) / n
    counts = np.random.default_rng(0).poisson(rates, (n, N_UNITS)).astype(np.uint8)
    assert (counts.sum(axis=0)[1:] > 450).all()
    return counts


@pytest.mark.parametrize("sd", [0.2, 0.5, 1.0, 2.0])
def test_noise_keeps_the_mean_of_each_unit_and_widens_its_spread(sd: float) -> None:
    counts = sparse()
    settings = {"noise": {"enabled": True, "sd": sd}}
    seeds = [perturbed(counts, settings, seed=seed).astype(float) for seed in range(40)]
    mean, variance = np.mean(seeds, axis=(0, 1)), np.mean([noisy.var(axis=0) for noisy in seeds], axis=0)
    expected = counts.var(axis=0) + sd**2 * (counts.astype(float) ** 2).mean(axis=0)

    np.testing.assert_allclose(mean, counts.mean(axis=0), rtol=0.05)
    assert mean[0] == 0
    assert (variance[1:] > counts.var(axis=0)[1:]).all()
    assert (variance[1:] > 0.7 * expected[1:]).all()


def test_stronger_noise_disperses_more() -> None:
    fano = []
    for sd in (0.0, 0.2, 0.5, 1.0, 2.0):
        noisy = perturbed(sparse(), {"noise": {"enabled": True, "sd": sd}}).astype(float)[:, 1:]
        fano.append((noisy.var(axis=0) / noisy.mean(axis=0)).mean())

    assert fano == sorted(fano)
    assert fano[-1] > 2 * fano[0]


def test_noise_of_no_spread_changes_nothing() -> None:
    np.testing.assert_array_equal(perturbed(sparse(), {"noise": {"enabled": True, "sd": 0.0}}), sparse())


@pytest.mark.parametrize("preset", PRESETS)
def test_silent_unit_stays_silent_at_every_level(preset: str) -> None:
    assert not perturbed(steady(2400, 0), {"preset": preset}).any()


def test_drift_is_a_wave_in_sequence_time_with_a_depth_of_its_own_for_each_unit() -> None:
    counts = steady(4800, 1000, np.uint16)
    drifted = perturbed(counts, {"drift": {"enabled": True, "amplitude": 0.1, "period": 60.0}})
    t = np.arange(4800) / RATE
    wave = np.sin(2 * np.pi * t / 60.0) + 0.1 * np.sin(20 * np.pi * t / 60.0)
    depth = 0.1 * (1 + 0.3 * Draws(1, "drift", N_UNITS).constant)

    np.testing.assert_allclose(drifted, 1000 * (1 + wave[:, None] * depth), atol=1.01)
    assert len(set(drifted[600])) == N_UNITS


@pytest.mark.parametrize("amplitude", [0.1, 0.8, 10.0])
def test_drift_keeps_the_mean_over_a_period(amplitude: float) -> None:
    settings = {"drift": {"enabled": True, "amplitude": amplitude, "period": 60.0}}
    drifted = perturbed(steady(24_000, 2), settings).astype(float)

    np.testing.assert_allclose(drifted.mean(axis=0), 2.0, rtol=0.02)


def test_models_act_one_after_the_other() -> None:
    counts = steady(64, 1000, np.uint16)
    both = perturbed(counts, {"noise": {"enabled": True}, "drift": {"enabled": True}}, first=500)
    noise_first = perturbed(counts, {"noise": {"enabled": True}}, first=500)
    then_drift = perturbed(noise_first, {"drift": {"enabled": True}}, first=500)

    np.testing.assert_allclose(both, then_drift, atol=2)  # one rounding less


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_stay_whole_and_within_their_type(dtype: npt.DTypeLike) -> None:
    top = np.iinfo(dtype).max
    for count in (1, int(top)):
        counts = perturbed(steady(4000, count, dtype), PRESETS["extreme"])
        assert counts.dtype == dtype
        assert count > 1 or counts.min() == 0
        assert count < top or counts.max() == top


# Draws

EVERYTHING = {model.key: {"enabled": True} for model in MODELS} | {
    "saturation": {"enabled": True, "fraction": 0.5},
    "unit_loss": {"enabled": True, "fraction": 0.5, "onset": 3.0, "duration": 10.0},
    "rotation": {"enabled": True, "fraction": 1.0, "onset": 3.0, "duration": 10.0},
    "lost_packets": {"enabled": True, "probability": 0.3, "burst": 20.0},
    "turnover": {"enabled": True, "fraction": 0.5, "onset": 3.0, "duration": 10.0},
    "gain_walk": {"enabled": True, "fraction": 1.0, "time_constant": 20.0},
}
"""All models at once, those that set in over a time amid the bins that are looked at."""
RECORDING = tuned_recording(N_UNITS, 1000)


@pytest.mark.parametrize("chunk", [1, 7, 64, 500])
@pytest.mark.parametrize("first", [0, 100, 12_345])
def test_nothing_depends_on_how_bins_are_chunked(chunk: int, first: int) -> None:
    counts = np.random.default_rng(0).poisson(3, (500, N_UNITS)).astype(np.uint8)
    whole = perturbed(counts, EVERYTHING, first=first, recording=RECORDING)
    rows = delivered(500, EVERYTHING, first=first, recording=RECORDING)

    np.testing.assert_array_equal(
        perturbed(counts, EVERYTHING, first=first, chunk=chunk, recording=RECORDING), whole
    )
    np.testing.assert_array_equal(
        delivered(500, EVERYTHING, first=first, chunk=chunk, recording=RECORDING), rows
    )


@pytest.mark.parametrize("key", [model.key for model in MODELS])
def test_a_bin_fares_the_same_whenever_its_model_was_switched_on(key: str) -> None:
    settings = {key: EVERYTHING[key]}
    counts = np.random.default_rng(0).poisson(3, (1000, N_UNITS)).astype(np.uint8)
    whole, rows = (
        perturbed(counts, settings, recording=RECORDING),
        delivered(1000, settings, recording=RECORDING),
    )
    assert (whole != counts).any() or rows["lost"].any() or rows["delay"].any()

    for first in (1, 63, 64, 65, 300, 501, 999):
        np.testing.assert_array_equal(
            perturbed(counts[first:], settings, first=first, recording=RECORDING), whole[first:]
        )
        np.testing.assert_array_equal(
            delivered(1000 - first, settings, first=first, recording=RECORDING), rows[first:]
        )


@pytest.mark.parametrize("key", [model.key for model in MODELS])
def test_another_seed_disturbs_otherwise(key: str) -> None:
    settings = {key: EVERYTHING[key]}
    counts = np.random.default_rng(0).poisson(3, (1000, N_UNITS)).astype(np.uint8)
    one, other = (perturbed(counts, settings, seed=seed, recording=RECORDING) for seed in (1, 2))
    one_rows, other_rows = (delivered(1000, settings, seed=seed, recording=RECORDING) for seed in (1, 2))

    assert (one != other).any() or (one_rows != other_rows).any()


@pytest.mark.parametrize("chunk", [1, 2, 7, 32, 63, 64, 65, 500])
def test_draws_do_not_depend_on_how_bins_are_chunked(chunk: int) -> None:
    counts = np.random.default_rng(0).poisson(3, (500, N_UNITS)).astype(np.uint8)
    whole = perturbed(counts, PRESETS["intense"], first=100)

    np.testing.assert_array_equal(perturbed(counts, PRESETS["intense"], first=100, chunk=chunk), whole)


def test_draws_of_a_bin_do_not_depend_on_the_bins_before_it() -> None:
    whole = Draws(1, "noise", N_UNITS).normal(0, 1000)

    for first in (0, 63, 64, 130, 999):
        np.testing.assert_array_equal(Draws(1, "noise", N_UNITS).normal(first, 1)[0], whole[first])


def test_draws_differ_between_seeds_models_bins_and_units() -> None:
    drawn = [Draws(seed, model, N_UNITS).normal(0, 200) for seed in (1, 2) for model in ("noise", "drift")]

    assert len(np.unique(np.concatenate(drawn))) > 0.999 * 4 * 200 * N_UNITS


def test_switching_a_model_off_and_on_again_changes_no_later_draw() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"noise": {"enabled": True}})
    models.apply(steady(100), 0)
    models.change({"noise": {"enabled": False}})
    models.change({"noise": {"enabled": True}})
    later = steady(50)
    models.apply(later, 100)

    np.testing.assert_array_equal(later, perturbed(steady(150), {"noise": {"enabled": True}})[100:])


def test_models_of_counts_leave_delivery_alone_and_the_other_way_round() -> None:
    counts = steady(500)
    delivery = {key: EVERYTHING[key] for key in ("lost_packets", "jitter")}
    rest = {key: value for key, value in EVERYTHING.items() if key not in delivery}

    np.testing.assert_array_equal(perturbed(counts, delivery, recording=RECORDING), counts)
    np.testing.assert_array_equal(delivered(500, rest, recording=RECORDING), delivered(500, {}))
    assert delivered(500, delivery, recording=RECORDING)["counts"].sum() == 0


# Settings


def test_nothing_is_perturbed_unless_asked() -> None:
    models = Perturbations(1, N_UNITS, RATE)

    assert models.mask == 0
    assert model_names(models.mask) == []
    np.testing.assert_array_equal(perturbed(steady(10), {}), steady(10))


def test_mask_names_the_models_that_are_on() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"drift": {"enabled": True}})
    assert (models.mask, model_names(models.mask)) == (DRIFT, ["drift"])
    models.change({"noise": {"enabled": True}})
    assert (models.mask, model_names(models.mask)) == (NOISE | DRIFT, ["noise", "drift"])


def test_models_and_parameters_that_are_not_named_stay_as_they_are() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"noise": {"enabled": True, "sd": 0.7}, "drift": {"amplitude": 0.4}})
    models.change({"noise": {"enabled": False}})

    expected = Perturbations(1, N_UNITS, RATE).settings
    expected["noise"] = {"enabled": False, "sd": 0.7}
    expected["drift"] = {"enabled": False, "amplitude": 0.4, "period": 60.0}
    assert models.settings == expected


def test_settings_can_be_set_again_as_they_were_read() -> None:
    models, other = Perturbations(1, N_UNITS, RATE), Perturbations(1, N_UNITS, RATE)
    models.change({"preset": "moderate"})
    other.change(models.settings)

    assert other.settings == models.settings
    assert other.mask == models.mask


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_sets_every_model(preset: str) -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"preset": preset})

    assert set(PRESETS[preset]) == {model.key for model in MODELS}
    assert models.mask == (0 if preset == "none" else NOISE | DRIFT)
    for key, values in PRESETS[preset].items():
        assert models.settings[key] == {**models.settings[key], **values}


def test_a_preset_switches_all_other_models_off() -> None:
    models = Perturbations(1, N_UNITS, RATE, RECORDING)
    models.change(EVERYTHING)
    assert model_names(models.mask) == [model.key for model in MODELS]
    models.change({"preset": "light"})
    assert models.mask == NOISE | DRIFT


def test_stronger_presets_disturb_more() -> None:
    counts = steady(2000, 50)
    errors = [
        np.abs(perturbed(counts, {"preset": preset}).astype(float) - 50).mean()
        for preset in ("none", "light", "moderate", "intense", "extreme")
    ]

    assert errors[0] == 0
    assert errors == sorted(errors)
    assert len(set(errors)) == len(errors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smudge": {"enabled": True}}, "Unknown perturbation 'smudge'. There are noise, drift, gain"),
        ({"noise": {"depth": 1}}, "Unknown parameter 'depth' of noise. It has enabled, sd."),
        ({"noise": {"name": "x"}}, "Unknown parameter 'name' of noise"),
        ({"noise": True}, "takes an object of its parameters"),
        ({"noise": {"sd": -0.1}}, "sd"),
        ({"noise": {"sd": 10.5}}, "sd"),
        ({"noise": {"sd": float("nan")}}, "sd"),
        ({"noise": {"sd": "much"}}, "sd"),
        ({"noise": {"sd": None}}, "sd"),
        ({"noise": {"enabled": "yes"}}, "enabled"),
        ({"drift": {"period": 0}}, "period"),
        ({"drift": {"amplitude": 0.2}, "noise": {"sd": -1}}, "sd"),
        ({"unit_loss": {"fraction": 1.1}}, "fraction"),
        ({"unit_loss": {"duration": -1}}, "duration"),
        ({"saturation": {"count": 2.5}}, "count"),
        ({"saturation": {"count": 0}}, "count"),
        ({"lost_packets": {"probability": 2}}, "probability"),
        ({"lost_packets": {"burst": 0.5}}, "burst"),
        ({"jitter": {"longest": 501}}, "longest"),
        ({"preset": "harsh"}, "Unknown preset 'harsh'. Send one of none, light, moderate"),
        ({"preset": ["light"]}, "Unknown preset"),
        ({"preset": "light", "noise": {"enabled": True}}, "nothing beside it"),
    ],
)
def test_bad_settings_are_refused_by_name_and_leave_everything_unchanged(
    settings: dict[str, Any], message: str
) -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"preset": "moderate"})
    before, mask = models.settings, models.mask
    with pytest.raises(BadSetting) as refused:
        models.change(settings)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (models.settings, models.mask) == (before, mask)
