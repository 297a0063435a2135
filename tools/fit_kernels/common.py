"""What both fits share: the grids, the interpolation that kernel.cpp does, the robust fit."""

import numpy as np
from scipy.optimize import least_squares

# More work may not take less time: log(time of more / time of less) below MARGIN is priced so.
MARGIN = 0.003
ORDER = 3.0

# A residual of this size in log(time) begins to count as an outlier (soft L1).
OUTLIER = 0.03


def lg(x):
    """log2 with the mantissa taken straight: exponent + fraction. What kernel.cpp's lg() does."""
    mantissa, exponent = np.frexp(np.asarray(x, float))
    return exponent - 1 + (2 * mantissa - 1)


def basis(knots, value):
    """Weights of the knots in linear interpolation, held constant beyond the ends."""
    knots = np.asarray(knots, float)
    value = np.clip(value, knots[0], knots[-1])
    left = np.clip(np.searchsorted(knots, value, side="right") - 1, 0, len(knots) - 2)
    part = (value - knots[left]) / (knots[left + 1] - knots[left])
    weights = np.zeros((len(value), len(knots)))
    row = np.arange(len(value))
    weights[row, left] = 1 - part
    weights[row, left + 1] = part
    return weights


def smoothness(curves, total, weight):
    """Rows that price the second difference of every curve (a slice of the coefficients)."""
    rows = []
    for part in curves:
        for i in range(part.start + 1, part.stop - 1):
            row = np.zeros(total)
            row[i - 1], row[i], row[i + 1] = weight, -2 * weight, weight
            rows.append(row)
    return np.array(rows)


def in_order(pairs, p, slope):
    """How far each (less, more) pair of models is from taking longer for more, and its Jacobian."""
    fall, falls = [], []
    for less, more in pairs:
        rows = np.arange(len(less.y))
        a, ja = less.log_time(p, rows, slope)
        b, jb = more.log_time(p, rows, slope)
        short = a - b + MARGIN
        fall.append(ORDER * np.maximum(short, 0))
        if slope:
            falls.append(ORDER * (ja - jb) * (short > 0)[:, None])
    return np.concatenate(fall), np.concatenate(falls) if slope else None


def robust_fit(model, start, low, high, prior, rows, weight, evaluations, pairs,
               begin=None):
    """Soft-L1 least squares of log(predicted / measured) with priors that keep coefficients apart.

    model.log_time(p, rows) -> (log t, Jacobian); prior: weight of (p - start) a coefficient.
    """
    scale = 0.01 * np.sqrt(len(rows))
    wanted, root = model.y[rows], np.sqrt(weight[rows])
    bends = smoothness(model.curves(), len(start), 0.35 * scale)
    pull = np.diag(prior * scale)

    def residual(p):
        t, _ = model.log_time(p, rows, False)
        fall, _ = in_order(pairs, p, False)
        return np.concatenate([root * (t - wanted), pull @ (p - start), bends @ p, fall])

    def jacobian(p):
        _, slope = model.log_time(p, rows, True)
        _, falls = in_order(pairs, p, True)
        return np.concatenate([root[:, None] * slope, pull, bends, falls])

    inside = np.clip(start if begin is None else begin, low + 1e-6, high - 1e-6)
    return least_squares(residual, inside, jacobian, bounds=(low, high), loss="soft_l1",
                         f_scale=OUTLIER, max_nfev=evaluations)


def held_out(first, second, share=4):
    """True for a quarter of the (first, second) pairs: whole pairs, chosen by their values alone."""
    key = (np.asarray(first, np.int64) * 2654435761 + np.asarray(second, np.int64) * 40503) % 2**32
    key = (key ^ (key >> 15)) * 2246822519 % 2**32
    key = (key ^ (key >> 13)) % 2**32
    return key % share == 0


def quantiles(error):
    if len(error) == 0:
        return float("nan"), float("nan")
    return float(np.median(error)), float(np.quantile(error, 0.9))
