"""Factor analysis of counts: what units have in common, and how two analyses are brought to agree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.decoders.base import Floats

LEAST = 1e-3
"""Of a unit's own variance, as a share of the mean variance: one that is silent has none."""


class Factors(NamedTuple):
    """``c = L z + e``, ``z ~ N(0, I)``, ``e ~ N(0, diag(own))``.

    Attributes
    ----------
    loadings : ndarray of float64, shape (n_units, n_factors)
        L.
    own : ndarray of float64, shape (n_units,)
        Variance of each unit that it shares with no other.
    """

    loadings: Floats
    own: Floats

    @property
    def projection(self) -> Floats:
        """Expected z of a bin's counts less their mean, ``L' (L L' + diag(own))**-1``, by Woodbury."""
        weighted = self.loadings / self.own[:, None]
        inner = np.eye(self.loadings.shape[1]) + self.loadings.T @ weighted
        return np.linalg.solve(inner, weighted.T)


def begun(covariance: Floats, n_factors: int) -> Factors:
    """Where `improved` begins: the principal components."""
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1][:n_factors]
    loadings = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    return Factors(loadings, _own(np.diag(covariance) - (loadings**2).sum(axis=1), covariance))


def improved(factors: Factors, covariance: Floats) -> Factors:
    """One step of expectation and maximisation (Rubin & Thayer 1982, Psychometrika 47, 69-76)."""
    projection = factors.projection
    shared = projection @ covariance
    moments = np.eye(len(projection)) - projection @ factors.loadings + shared @ projection.T
    loadings = np.linalg.solve(moments, shared).T
    return Factors(loadings, _own(np.diag(covariance) - (loadings * shared.T).sum(axis=1), covariance))


def rotation(loadings: Floats, onto: Floats) -> Floats:
    """The orthogonal O for which ``loadings @ O`` is nearest to `onto`.

    By the singular value decomposition (Schönemann 1966, Psychometrika 31, 1-10).
    """
    left, _, right = np.linalg.svd(loadings.T @ onto)
    return np.asarray(left @ right)


def stable(loadings: Floats, onto: Floats, n: int, least: float) -> npt.NDArray[np.intp]:
    """Units whose loadings have kept their place among each other.

    As Degenhart et al. 2020 choose them: those that hardly load are left out, then, one at a time, the one
    whose loadings are farthest from where they were once both are aligned by those that are left.

    Parameters
    ----------
    loadings, onto : ndarray of float64, shape (n_units, n_factors)
    n : int
        How many are kept.
    least : float
        Norm of a unit's loadings in both.

    Returns
    -------
    ndarray of int
    """
    norms: Any = np.minimum(np.linalg.norm(loadings, axis=1), np.linalg.norm(onto, axis=1))
    kept = np.flatnonzero(norms >= least)
    while len(kept) > n:
        turned = loadings[kept] @ rotation(loadings[kept], onto[kept])
        kept = np.delete(kept, np.argmax(np.linalg.norm(turned - onto[kept], axis=1)))
    return kept


def _own(variance: Floats, covariance: Floats) -> Floats:
    return np.asarray(np.maximum(variance, LEAST * np.diag(covariance).mean()))
