"""Fused attention, causal forward: the model of src/compute/kernel.hpp, fitted to context_attention_perf."""

import numpy as np

from common import basis, held_out, lg, quantiles, robust_fit

KNOTS = {
    "queries": np.arange(4, 15, 1),                                 # lg queries of a sequence
    "waves": np.r_[np.arange(0, 4, 0.25), 4.0, 5.0, 6.0, 8.0],      # of (head, 128 queries) tiles
    "work": np.arange(24, 47, 2),                                   # lg FLOPs
    "head": np.array([6, 7, 7.5, 8]),                               # lg head size: 64, 128, 192, 256
}
CURVES = ["queries", "waves", "work", "head"]
SCALARS = 5
RATE, LAUNCH, BANDWIDTH, OVERLAP, HALF = range(SCALARS)
CURVE_BEGIN = SCALARS
TILE = 128.0


class Model:
    def __init__(self, c, units, bandwidth, rate, element):
        b, s, h, kv, d = (c[x] for x in
                          ("batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim"))
        self.y = np.log(c["latency"])
        self.flops = 4 * b * h * d * s * (s + 1) / 2
        self.bytes = b * d * (2 * kv * s * element + 2 * h * s * 2.0)
        self.bandwidth, self.rate = bandwidth, rate
        waves = b * h * np.ceil(s / TILE) / units
        self.keys, self.idle = s, np.maximum(waves, 1) / waves
        value = {"queries": lg(s), "waves": waves, "work": lg(self.flops), "head": lg(d)}
        self.weights = {k: basis(KNOTS[k], v) for k, v in value.items()}
        self.part, at = {}, CURVE_BEGIN
        for k in CURVES:
            self.part[k] = slice(at, at + len(KNOTS[k]))
            at += len(KNOTS[k])
        self.total = at

    def curves(self):
        return [self.part[k] for k in CURVES if k != "head"]

    def start(self):
        p, low, high = np.ones(self.total), np.full(self.total, 0.3), np.full(self.total, 4.0)
        p[:SCALARS] = [np.log(self.rate), np.log(8), np.log(0.8), 0.2, np.log(800)]
        low[:SCALARS] = [np.log(self.rate) - 2, np.log(0.5), np.log(0.2), 0, np.log(20)]
        high[:SCALARS] = [np.log(self.rate) + 1, np.log(60), np.log(1.0), 1, np.log(6000)]
        return p, low, high

    def priors(self):
        w = np.full(self.total, 1.0)
        w[:SCALARS] = 0.02
        w[OVERLAP] = 0.1
        w[self.part["head"]] = 0.05
        return w

    def log_time(self, p, rows, slope):
        factor = {k: self.weights[k][rows] @ p[self.part[k]] for k in CURVES}
        half = np.exp(p[HALF]) / self.keys[rows]
        mma = self.flops[rows] / np.exp(p[RATE]) * self.idle[rows] * (1 + half)
        for k in CURVES:
            mma = mma * factor[k]
        memory = self.bytes[rows] / (self.bandwidth * np.exp(p[BANDWIDTH]))
        launch = np.exp(p[LAUNCH]) * 1e-6
        t = launch + np.maximum(mma, memory) + p[OVERLAP] * np.minimum(mma, memory)
        if not slope:
            return np.log(t), None
        d_mma = np.where(mma > memory, mma, p[OVERLAP] * mma) / t
        d_memory = np.where(mma > memory, p[OVERLAP] * memory, memory) / t
        j = np.zeros((len(t), self.total))
        j[:, RATE], j[:, LAUNCH], j[:, BANDWIDTH] = -d_mma, launch / t, -d_memory
        j[:, OVERLAP] = np.minimum(mma, memory) / t
        j[:, HALF] = d_mma * half / (1 + half)
        for k in CURVES:
            j[:, self.part[k]] = self.weights[k][rows] * (d_mma / factor[k])[:, None]
        return np.log(t), j


def split(c):
    return held_out(c["isl"], c["num_heads"] * 1000 + c["num_key_value_heads"])


def fit(c, units, bandwidth, rate, element):
    model = Model(c, units, bandwidth, rate, element)
    out = split(c)
    long = c["isl"] >= 1024
    rows = np.where(~out)[0]
    start, low, high = model.start()
    r = robust_fit(model, start, low, high, model.priors(), rows, np.where(long, 3.0, 1.0), 60)
    named = rounded(model, r.x)
    t, _ = model.log_time(coefficients(model, named), np.arange(len(out)), False)
    error = np.abs(np.exp(t - model.y) - 1)
    judged = {"training": quantiles(error[out & long]),
              "training_seen": quantiles(error[~out & long]),
              "all": quantiles(error[out]), "rows": int(np.sum(out & long))}
    for d in (64, 128, 192, 256):
        judged[f"head {d}"] = quantiles(error[out & long & (c["head_dim"] == d)])
    return named, judged


def rounded(model, p):
    named = {"rate_max": np.exp(p[RATE]) * 1e-12, "launch": np.exp(p[LAUNCH]),
             "bandwidth": np.exp(p[BANDWIDTH]), "overlap": p[OVERLAP], "half_length": np.exp(p[HALF])}
    for k in CURVES:
        named[k] = list(p[model.part[k]])
    short = lambda v: float(f"{v:.4g}")
    return {k: [float(f"{x:.3g}") for x in v] if isinstance(v, list) else short(v)
            for k, v in named.items()}


def coefficients(model, named):
    p = np.ones(model.total)
    p[:SCALARS] = [np.log(named["rate_max"] * 1e12), np.log(named["launch"]),
                   np.log(named["bandwidth"]), named["overlap"],
                   np.log(named["half_length"])]
    for k in CURVES:
        p[model.part[k]] = named[k]
    return p
