"""Estimators of scikit-learn as they are: lags are chosen here, and they are fitted here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import param

from engine.decoders.base import Arrays, Floats, NeuralDecoder, Training
from engine.decoders.history import History, lagged
from engine.decoders.own.foreign import Foreign, numbers
from engine.errors import BadModel

N_TRIED = 16
"""Inputs on which what was kept must answer as what was learned."""
PARTS = ":"
"""Between the parts of an array's name: attributes, keys and indices."""


class Estimator(Foreign, NeuralDecoder):
    """Fits ``estimator.fit(X, y)``, and asks ``estimator.predict(X)`` for one bin at a time.

    A row of X has the counts of the last bins, those of the newest bin first, of the units that are not
    silent in training, each less its mean; lags from before a stretch are 0. Columns of y are those of
    x, y, vx, vy that the recording has. An estimator of one column alone is fitted to each of them.

    What it has learned is kept without pickles: the arrays, numbers and texts of the estimator and of its
    steps, if a new one that is given them answers the same.
    """

    lags = param.Integer(default=10, bounds=(1, 100), doc="Bins looked at, the present one among them.")

    @classmethod
    def suits(cls, kind: type) -> bool:
        return all(hasattr(kind, name) for name in ("fit", "predict", "get_params", "set_params"))

    @classmethod
    def declared(cls, code: Any, made: Any) -> dict[str, Any]:
        """Whatever of the estimator's parameters, and of its steps', is a number."""
        tuned = numbers((code() if made is None else made).get_params())
        return {"made_with": tuple(tuned), **tuned}

    def reset(self) -> None:
        super().reset()
        self._history = History(len(self.active), self.lags)

    def arrays(self) -> Arrays:
        learned = dict(_values(self._own))
        again = self._make()
        sample = np.random.default_rng(0).normal(size=(N_TRIED, len(self.active) * self.lags))
        try:
            _put(again, learned)
            kept = np.array_equal(again.predict(sample), self._own.predict(sample))
        except Exception:  # it would not be what was learned
            kept = False
        if not kept:
            raise BadModel(
                f"What {self.key} has learned is more than arrays, so it lives in its process alone. Take "
                "a linear model to keep it."
            )
        return {**super().arrays(), **{f"{PARTS}{name}": value for name, value in learned.items()}}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super().restore(arrays)
        self._own = self._make()
        learned = {
            name.removeprefix(PARTS): value for name, value in arrays.items() if name.startswith(PARTS)
        }
        _put(self._own, learned)

    def _make(self) -> Any:
        def make() -> Any:
            return _of_columns(type(self).make().set_params(**self._settings()), len(self.columns))

        return self._blaming("the making of it", make)

    def _learn(self, training: Training) -> None:
        self._own = self._make()
        features = lagged(training, training.rows, self.lags)[:, :-1]
        self._call("fit", features, training.targets[training.rows])

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        said = self._call("predict", self._history.push(signal)[None, :-1])
        return np.asarray(said, np.float64).ravel()


def _of_columns(estimator: Any, n_columns: int) -> Any:
    """An estimator of as many columns."""
    if n_columns == 1 or not hasattr(estimator, "__sklearn_tags__"):
        return estimator
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.utils import get_tags

    return estimator if get_tags(estimator).target_tags.multi_output else MultiOutputRegressor(estimator)


def _values(estimator: Any) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Arrays, numbers and texts that an estimator and its steps have beside their parameters, by place."""
    for place, part in _parts(estimator, ()):
        given = part.get_params(deep=False)
        for name, value in vars(part).items():
            if name not in given and isinstance(value, np.ndarray | np.generic | bool | int | float | str):
                array = np.asarray(value)
                if not array.dtype.hasobject:
                    yield PARTS.join((*place, name)), array


def _parts(owner: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """An estimator and those that it is made of, each with the attributes and indices that lead there."""
    if hasattr(owner, "get_params"):
        yield place, owner
        for name, value in vars(owner).items():
            yield from _parts(value, (*place, name))
    elif isinstance(owner, list | tuple):
        for i, each in enumerate(owner):
            yield from _parts(each, (*place, str(i)))


def _put(estimator: Any, learned: Mapping[str, npt.NDArray[Any]]) -> None:
    """Give an estimator and its steps what others have learned; KeyError if there is no such step."""
    parts = dict(_parts(estimator, ()))
    for name, value in learned.items():
        *place, last = name.split(PARTS)
        setattr(parts[tuple(place)], last, value[()] if value.ndim == 0 else value)
