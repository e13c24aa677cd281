"""What recurrent decoders share: PyTorch trains them on streams; numpy runs them, one bin at a time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, NeuralDecoder, Training
from engine.errors import CannotFit

FEWEST: int = 100
"""Bins of a stream to learn from."""
GAPS, LONGEST_GAP = 1 / 40, 10
"""How many gaps a lane has, a bin, and the bins of one at most."""


class Recurrent(NeuralDecoder):
    """A layer of gated units and a linear readout, which learn from a stream as it comes.

    A network that begins anew with each trial counts the bins since, and tells the movement from the time
    within the trial: it is worth nothing where nobody says when a trial begins. So all training bins are
    one stream, cut into lanes that begin anywhere, elsewhere in each epoch; a lane is learned chunk by
    chunk with its state carried on (truncated backpropagation through time, Williams & Peng 1990, Neural
    Computation 2, 490-501). A few bins are left out here and there, so that the rhythm in which trials
    follow each other is less of a clock. The last part of the stream is held back and run through without
    a reset; the learning rate falls when the error there stands still, training ends when that does not
    help, and the weights of the least error are kept. In use the state is carried on, too, until `reset`.
    """

    learned: ClassVar[tuple[str, ...]] = (
        *NeuralDecoder.learned, "input_weights", "state_weights", "bias", "readout", "readout_bias",
    )  # fmt: skip
    cell: ClassVar[str]
    """Of `torch.nn`."""

    hidden = param.Integer(default=128, bounds=(1, 1024), doc="Size of the state.")
    window = param.Integer(
        default=40, bounds=(2, 1000), doc="Bins of a chunk, through which errors go back."
    )
    learning_rate = param.Number(default=3e-3, bounds=(1e-6, 1.0), doc="At first.")
    batch = param.Integer(default=16, bounds=(1, 4096), doc="Lanes, learned side by side.")
    dropout = param.Number(default=0.4, bounds=(0.0, 0.9), doc="Of inputs and of the state read out.")
    decay = param.Number(default=1e-2, bounds=(0.0, 1.0), doc="Of weights, decoupled (AdamW).")
    clip = param.Number(default=1.0, bounds=(1e-6, None), doc="Largest norm of a gradient.")
    held_out = param.Number(default=0.15, bounds=(0.01, 0.5), doc="Part of the stream for validation.")
    epochs = param.Integer(default=200, bounds=(1, 10_000), doc="At most.")
    patience = param.Integer(default=15, bounds=(1, 1000), doc="Epochs without improvement that end it.")
    seed = param.Integer(default=0, bounds=(0, None), doc="Of first weights, lanes and dropout.")

    input_weights: Floats
    """U, shape (n_gates * hidden, n_active)."""
    state_weights: Floats
    """V, shape (n_gates * hidden, hidden)."""
    bias: Floats
    """b, shape (n_gates * hidden,)."""
    readout: Floats
    """Shape (n_columns, hidden)."""
    readout_bias: Floats
    """Shape (n_columns,)."""

    def _take(self, weights: dict[str, Floats]) -> None:
        """Keep the cell's weights, by PyTorch's names, for counts that are not scaled."""
        raise NotImplementedError

    def _learn(self, training: Training) -> None:
        try:
            import torch
        except ImportError:
            raise CannotFit(
                f"{self.key} is trained with PyTorch, which is not installed. Install it with pip install "
                "torch, or load a trained one with --model."
            ) from None
        n = len(training.signal)
        if n < FEWEST:
            raise CannotFit(f"{self.key} needs {FEWEST} bins at least, not {n}. Choose more trials.")
        scale = training.signal[training.rows].std(axis=0) + 1e-9
        known = training.targets[training.rows]
        centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-9
        counted = np.zeros(n, np.float32)
        counted[training.rows] = 1.0
        targets = np.where(counted[:, None] > 0, (training.targets - centre) / spread, 0.0)
        stream = (training.signal / scale).astype(np.float32), targets.astype(np.float32), counted
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # a second one costs more than it gives, and streams want a core
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                weights = self._train(*(torch.from_numpy(each) for each in stream))
        finally:
            torch.set_num_threads(threads)
        cell = {name.removeprefix("cell."): each for name, each in weights.items()}
        cell["weight_ih_l0"] = cell["weight_ih_l0"] / scale
        self._take(cell)
        self.readout = weights["readout.weight"] * spread[:, None]
        self.readout_bias = weights["readout.bias"] * spread + centre

    def _train(self, inputs: Any, targets: Any, counted: Any) -> dict[str, Floats]:
        """Train on a stream; returns the best weights by name."""
        import torch

        n_learned = len(inputs) - max(1, round(self.held_out * len(inputs)))
        network = torch.nn.ModuleDict(
            {
                "cell": getattr(torch.nn, self.cell)(inputs.shape[1], self.hidden, batch_first=True),
                "readout": torch.nn.Linear(self.hidden, targets.shape[1]),
                "dropout": torch.nn.Dropout(self.dropout),
            }
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.learning_rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, factor=0.5, patience=self.patience // 3
        )
        loss = torch.nn.MSELoss(reduction="none")

        def run(which: Any, state: Any) -> tuple[Any, Any]:
            states, state = network["cell"](network["dropout"](inputs[which]), state)
            misses = loss(network["readout"](network["dropout"](states)), targets[which]).mean(dim=2)
            return (misses * counted[which]).sum() / counted[which].sum().clamp(min=1.0), state

        draws = np.random.default_rng(self.seed)
        best, best_weights, waited = np.inf, {}, 0
        for epoch in range(self.epochs):
            network.train()
            state: Any = None
            for which in self._chunks(n_learned, draws):
                optimiser.zero_grad()
                error, state = run(torch.from_numpy(which), state)
                error.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), self.clip)
                optimiser.step()
                state = (
                    tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
                )
            network.eval()
            with torch.no_grad():
                every = torch.arange(n_learned, len(inputs))[None]
                now = float(run(every, None)[0])
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
            raise CannotFit(f"The training of {self.key} has diverged. Lower its learning_rate.")
        return best_weights

    def _chunks(self, n: int, draws: np.random.Generator) -> list[Any]:
        """Bins of each chunk, shape (n_lanes, window): lanes share out what is left of a stream."""
        bins = (int(draws.integers(n)) + np.arange(n)) % n
        left = np.ones(n, np.bool_)
        for gap in np.flatnonzero(draws.random(n) < GAPS):
            left[gap : gap + draws.integers(1, LONGEST_GAP + 1)] = False
        bins = bins[left]
        n_lanes = max(min(self.batch, len(bins) // self.window), 1)
        lanes = bins[: len(bins) - len(bins) % n_lanes].reshape(n_lanes, -1)
        return [lanes[:, i : i + self.window] for i in range(0, lanes.shape[1], self.window)]


def logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
