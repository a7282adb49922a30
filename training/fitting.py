"""Fitting linear models to examples: which of several is right, and whether one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

# Features by name, and whether this one is right.
Example = tuple[Mapping[str, float], bool]
Bounds = Mapping[str, tuple[float | None, float | None]]

# Weights are pulled towards zero a little, so that features that say the same share it.
PULL = 1e-4

# What a wrong answer costs, in refusals.
WRONG = 5


def choice(questions: Sequence[Sequence[Example]], bounds: Bounds) -> dict[str, float]:
    """Weights under which a right candidate gets the highest score (the likelihood of a softmax over the candidates).

    `questions` hold candidates. Those without a right candidate, or with nothing else, teach nothing.
    """
    questions = [question for question in questions if len({right for _, right in question}) == 2]
    if not questions:
        raise ValueError("no question has both a right candidate and a wrong one; nothing can be learned")
    candidates = [example for question in questions for example in question]
    features = _matrix(candidates, bounds)
    right = np.array([float(correct) for _, correct in candidates])
    sizes = [len(question) for question in questions]
    starts = np.cumsum([0, *sizes])[:-1]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = features @ parameters
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
        odds = np.exp(np.maximum(scores, -500.0))
        everything, correct = np.add.reduceat(odds, starts), np.add.reduceat(odds * right, starts)
        slope = odds / np.repeat(everything, sizes) - odds * right / np.repeat(correct, sizes)
        value = float((np.log(everything) - np.log(correct)).mean()) + PULL * float(parameters @ parameters)
        return value, features.T @ slope / len(sizes) + 2 * PULL * parameters

    return _fitted(loss, bounds)


def chance(examples: Sequence[Example], bounds: Bounds) -> tuple[dict[str, float], float]:
    """Weights and bias of a logistic model for an example to be right."""
    features = _matrix(examples, bounds)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    signs = np.array([1.0 if right else -1.0 for _, right in examples])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (features @ parameters)
        slope = -signs / (1 + np.exp(np.clip(margins, -500.0, 500.0)))
        value = float(np.logaddexp(0.0, -margins).mean()) + PULL * float(parameters @ parameters)
        return value, features.T @ slope / len(examples) + 2 * PULL * parameters

    fitted = _fitted(loss, {**bounds, "bias": (None, None)})
    bias = fitted.pop("bias")
    return fitted, bias


def with_intercepts(sets: Mapping[str, Sequence[Example]], home: str) -> list[Example]:
    """The examples with a feature that marks each set but `home`, so that its general level is learned apart."""
    marks = intercepts(sets, home)
    return [
        ({**features, **{mark: float(mark == f"in {name}") for mark in marks}}, right)
        for name, some in sets.items()
        for features, right in some
    ]


def intercepts(sets: Iterable[str], home: str) -> dict[str, tuple[None, None]]:
    """The features of `with_intercepts`, free to be of either sign."""
    return {f"in {name}": (None, None) for name in sets if name != home}


def cheapest(decisions: Sequence[tuple[float, bool]]) -> float:
    """The chance from which answering costs least, where a wrong answer costs WRONG and a refusal 1.

    Of the thresholds between two decisions that cost the same, the middle.
    """
    ranked = sorted(decisions)
    chances = [0.0, *(chance for chance, _ in ranked), 1.0]
    costs = [
        place + WRONG * sum(not right for _, right in ranked[place:])  # those before are refused
        for place in range(len(ranked) + 1)
    ]
    least = [place for place, cost in enumerate(costs) if cost == min(costs)]
    return (chances[least[0]] + chances[least[-1] + 1]) / 2


def _matrix(examples: Sequence[Example], names: Bounds) -> NDArray[np.float64]:
    return np.array([[features[name] for name in names] for features, _ in examples])


def _fitted(loss: object, bounds: Bounds) -> dict[str, float]:
    result = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=list(bounds.values()))
    return dict(zip(bounds, result.x.tolist(), strict=True))
