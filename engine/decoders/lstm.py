"""LSTM: a recurrent network. PyTorch trains it; numpy runs it, so that a trained one needs no PyTorch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import param

from engine.decoders.base import Floats, NeuralDecoder, Training
from engine.errors import CannotFit


class Lstm(NeuralDecoder):
    """One layer of long short-term memory (Hochreiter & Schmidhuber 1997, Neural Computation 9, 1735-1780;
    for decoding, Glaser et al. 2020, eNeuro 7) and a linear readout.

    ``i, f, g, o = U c[k] + V h[k-1] + b``, ``m[k] = s(f) m[k-1] + s(i) tanh(g)`` and
    ``h[k] = s(o) tanh(m[k])``, with s the logistic function. It learns from windows of a stretch; the
    last ones are held back, the learning rate falls when their error stands still, training ends when
    that does not help, and the weights of the least error are kept. In use the state is carried on to
    the stretch's end.
    """

    key = "lstm"
    learned: ClassVar[tuple[str, ...]] = (
        *NeuralDecoder.learned, "input_weights", "state_weights", "bias", "readout", "readout_bias",
    )  # fmt: skip

    hidden = param.Integer(default=128, bounds=(1, 1024), doc="Size of the state.")
    window = param.Integer(default=50, bounds=(2, 1000), doc="Bins of a training window, at most.")
    learning_rate = param.Number(default=3e-3, bounds=(1e-6, 1.0), doc="At first.")
    batch = param.Integer(default=32, bounds=(1, 4096), doc="Windows per step.")
    dropout = param.Number(default=0.3, bounds=(0.0, 0.9), doc="Of inputs and of the state read out.")
    decay = param.Number(default=1e-3, bounds=(0.0, 1.0), doc="Of weights, decoupled (AdamW).")
    clip = param.Number(default=1.0, bounds=(1e-6, None), doc="Largest norm of a gradient.")
    held_out = param.Number(default=0.15, bounds=(0.01, 0.5), doc="Part of the windows for validation.")
    epochs = param.Integer(default=200, bounds=(1, 10_000), doc="At most.")
    patience = param.Integer(default=15, bounds=(1, 1000), doc="Epochs without improvement that end it.")
    seed = param.Integer(default=0, bounds=(0, None), doc="Of first weights, order and dropout.")

    input_weights: Floats
    """U, shape (4 * hidden, n_active); gates in the order i, f, g, o."""
    state_weights: Floats
    """V, shape (4 * hidden, hidden)."""
    bias: Floats
    """b, shape (4 * hidden,)."""
    readout: Floats
    """Shape (n_columns, hidden)."""
    readout_bias: Floats
    """Shape (n_columns,)."""

    def reset(self) -> None:
        self._state: Floats = np.zeros(self.state_weights.shape[1])
        self._memory: Floats = np.zeros_like(self._state)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        gates = self.input_weights @ signal + self.state_weights @ self._state + self.bias
        n = len(self._state)
        enter, keep, leave = _logistic(gates[:n]), _logistic(gates[n : 2 * n]), _logistic(gates[3 * n :])
        self._memory = keep * self._memory + enter * np.tanh(gates[2 * n : 3 * n])
        self._state = leave * np.tanh(self._memory)
        return self.readout @ self._state + self.readout_bias

    def _learn(self, training: Training) -> None:
        try:
            import torch
        except ImportError:
            raise CannotFit(
                "An LSTM is trained with PyTorch, which is not installed. Install it with "
                "pip install torch, or load a trained one with --model."
            ) from None
        scale = training.signal[training.rows].std(axis=0) + 1e-9
        known = training.targets[training.rows]
        centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-9
        inputs, targets, counted = windows(
            training, training.signal / scale, (training.targets - centre) / spread, self.window
        )
        if len(inputs) < 2:
            raise CannotFit(
                f"An LSTM needs two windows of {self.window} bins at least. Choose more trials."
            )
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # a second one costs more than it gives, and streams want a core
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                weights = self._train(*(torch.from_numpy(each) for each in (inputs, targets, counted)))
        finally:
            torch.set_num_threads(threads)
        self.input_weights = weights["lstm.weight_ih_l0"] / scale
        self.state_weights = weights["lstm.weight_hh_l0"]
        self.bias = weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"]
        self.readout = weights["readout.weight"] * spread[:, None]
        self.readout_bias = weights["readout.bias"] * spread + centre

    def _train(self, inputs: Any, targets: Any, counted: Any) -> dict[str, Floats]:
        """Train on windows that follow each other in time; returns the best weights by name."""
        import torch

        n_held = max(1, round(self.held_out * len(inputs)))
        held = slice(len(inputs) - n_held, None)
        n_learned = len(inputs) - n_held
        network = torch.nn.ModuleDict(
            {
                "lstm": torch.nn.LSTM(inputs.shape[2], self.hidden, batch_first=True),
                "readout": torch.nn.Linear(self.hidden, targets.shape[2]),
                "dropout": torch.nn.Dropout(self.dropout),
            }
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.learning_rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, factor=0.5, patience=self.patience // 3
        )

        def error(which: Any) -> Any:
            states, _ = network["lstm"](network["dropout"](inputs[which]))
            misses = network["readout"](network["dropout"](states)) - targets[which]
            return (misses.square().mean(dim=2) * counted[which]).sum() / counted[which].sum()

        best, best_weights, waited = np.inf, {}, 0
        for epoch in range(self.epochs):
            network.train()
            for which in torch.randperm(n_learned).split(self.batch):
                optimiser.zero_grad()
                error(which).backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), self.clip)
                optimiser.step()
            network.eval()
            with torch.no_grad():
                now = float(error(held))
            schedule.step(now)
            waited += 1
            if now < best:
                best, waited = now, 0
                best_weights = {
                    name: value.double().numpy().copy() for name, value in network.state_dict().items()
                }
            self.epoch_done(epoch + 1, self.epochs)
            if waited >= self.patience:
                break
        if not best_weights:
            raise CannotFit("The LSTM's training has diverged. Lower its learning_rate.")
        return best_weights


def windows(
    training: Training, signal: Floats, targets: Floats, length: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Stretches cut into windows that overlap by half.

    Returns
    -------
    inputs : ndarray of float32, shape (n_windows, longest, n_active)
        0 beyond the stretch's end; no longer than the longest window is.
    targets : ndarray of float32, shape (n_windows, longest, n_columns)
    counted : ndarray of float32, shape (n_windows, longest)
        1 where the target is known, 0 elsewhere. Each bin counts once: in the window where it has more
        bins before it.
    """
    known = np.zeros(len(signal), np.bool_)
    known[training.rows] = True
    first = np.flatnonzero(training.age == 0)
    last = np.append(first[1:], len(signal))
    hop = length // 2
    cut = [
        (begin, min(begin + length, stop), begin if begin == start else begin + length - hop)
        for start, stop in zip(first.tolist(), last.tolist(), strict=True)
        for begin in range(start, max(stop - (length - hop), start + 1), hop)
    ]
    cut = [(begin, end, new) for begin, end, new in cut if known[new:end].any()]
    longest = max((end - begin for begin, end, _ in cut), default=0)
    inputs = np.zeros((len(cut), longest, signal.shape[1]), np.float32)
    wanted = np.zeros((len(cut), longest, targets.shape[1]), np.float32)
    counted = np.zeros((len(cut), longest), np.float32)
    for i, (begin, end, new) in enumerate(cut):
        inputs[i, : end - begin] = signal[begin:end]
        wanted[i, : end - begin] = np.where(known[begin:end, None], targets[begin:end], 0.0)
        counted[i, new - begin : end - begin] = known[new:end]
    return inputs, wanted, counted


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
