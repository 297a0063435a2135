"""Matrix products: the tiled model of src/compute/kernel.hpp, fitted to gemm_perf tables."""

import numpy as np

from common import basis, held_out, lg, quantiles, robust_fit

# Tiles that libraries hold kernels for, one unit's share: rows, columns, ways k is split.
# kernel.cpp's `tile_shapes` is this list.
TILES = [(256, 128, 1), (128, 256, 1), (192, 128, 1), (128, 192, 1), (128, 128, 1),
         (128, 64, 1), (64, 128, 1), (64, 192, 1), (128, 128, 4), (64, 64, 8)]

# Where the correction curves have their knots.
KNOTS = {
    "waves": np.r_[np.arange(0, 4, 0.25), 4.0, 5.0, 6.0, 8.0],  # waves of 128 x 256 tiles
    "depth": np.arange(8, 17, 2),                               # lg k
    "work": np.arange(30, 47, 2),                               # lg m n k
    "columns": np.arange(8, 17, 2),                             # lg n
    "rows": np.arange(7, 16, 2),                                # lg m
    "traffic": np.arange(18, 33, 2),                            # lg bytes
    "thin": np.arange(0, 11, 2),                                # lg m
}
OF_MMA = ["waves", "depth", "work", "columns", "rows"]
OF_MEMORY = ["traffic", "thin"]
# log efficiency, log half depth, logit of whole waves, log launch us, log split depth,
# log bandwidth, overlap, log cast bandwidth, log cast launch us
SCALARS = 9
EFFICIENCY, DEPTH, WHOLE, LAUNCH, SPLIT, BANDWIDTH, OVERLAP, CAST_BANDWIDTH, CAST_LAUNCH = range(9)

# Of an activation, and of a weight: blocks of fp8 keep an fp32 scale for every 1 x 128 of the
# first and every 128 x 128 of the second.
ELEMENT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp8-block": 1 + 4 / 128, "nvfp4": 0.5625}
WEIGHT_BYTES = ELEMENT_BYTES | {"fp8-block": 1 + 4 / 128**2}


class Model:
    def __init__(self, m, n, k, seconds, units, peak, bandwidth, precision):
        self.m, self.n, self.k, self.y = m, n, k, np.log(seconds)
        self.units, self.peak, self.bandwidth = units, peak, bandwidth
        self.cast = precision != "bf16"
        self.only = ""  # "mma" or "memory": that part alone
        width = ELEMENT_BYTES[precision]
        self.bytes = m * k * width + n * k * WEIGHT_BYTES[precision] + m * n * 2.0
        self.cast_bytes = m * k * (2.0 + width)
        tiles = np.array([np.ceil(m / a) * np.ceil(n / b) * s / units for a, b, s in TILES])
        self.whole, self.least = np.ceil(tiles - 1e-12), np.maximum(tiles, 1)
        self.area = np.array([a * b / s for a, b, s in TILES])
        self.ways = np.array([s for _, _, s in TILES], float)
        value = {"waves": np.ceil(m / 128) * np.ceil(n / 256) / units, "depth": lg(k),
                 "work": lg(m * n * k), "columns": lg(n), "rows": lg(m), "traffic": lg(self.bytes),
                 "thin": lg(m)}
        self.least_mma = 2 * m * n * k / peak
        self.least_memory = self.bytes / bandwidth
        self.weights = {c: basis(KNOTS[c], v) for c, v in value.items()}
        self.part, at = {}, SCALARS + len(TILES)
        for c in OF_MMA + OF_MEMORY:
            self.part[c] = slice(at, at + len(KNOTS[c]))
            at += len(KNOTS[c])
        self.total = at
        self.tiles = slice(SCALARS, SCALARS + len(TILES))

    def curves(self):
        return [self.part[c] for c in OF_MMA + OF_MEMORY]

    def start(self, whole, half_depth):
        p, low, high = np.ones(self.total), np.full(self.total, 0.4), np.full(self.total, 2.5)
        log = np.log
        p[:SCALARS] = [log(0.75), log(half_depth), whole, log(3), log(300), log(0.8), 0.15,
                       log(0.4), log(8)]
        low[:SCALARS] = [log(0.1), log(5), -6, log(0.5), log(20), log(0.2), 0, log(0.1), log(0.2)]
        high[:SCALARS] = [log(1.15), log(2000), 6, log(20), log(3000), log(1.3), 1, log(2), log(30)]
        p[self.tiles] = [0.08 * np.log2(max(1, 32768 / (a * b))) for a, b, _ in TILES]
        low[self.tiles], high[self.tiles] = -0.3, 1.2
        return p, low, high

    def priors(self):
        w = np.full(self.total, 2.0)
        w[:SCALARS] = 0.02
        w[OVERLAP] = 0.1
        w[self.tiles] = 0.5
        return w

    def log_time(self, p, rows, slope):
        k = self.k[rows]
        share = 1 / (1 + np.exp(-p[WHOLE]))
        half, split = np.exp(p[DEPTH]), np.exp(p[SPLIT])
        cost, best, pick = None, None, None
        each = np.exp(p[self.tiles]) * self.area
        for i, ways in enumerate(self.ways):
            waves = share * self.whole[i, rows] + (1 - share) * self.least[i, rows]
            c = waves * each[i] * (k + ways * (half + (split if ways > 1 else 0)))
            if best is None:
                best, pick = c, np.zeros(len(k), int)
            else:
                better = c < best
                best, pick = np.where(better, c, best), np.where(better, i, pick)
        factor = {c: self.weights[c][rows] @ p[self.part[c]] for c in OF_MMA + OF_MEMORY}
        mma = best * 2 * self.units / (self.peak * np.exp(p[EFFICIENCY]))
        memory = self.bytes[rows] / (self.bandwidth * np.exp(p[BANDWIDTH]))
        for c in OF_MMA:
            mma = mma * factor[c]
        for c in OF_MEMORY:
            memory = memory * factor[c]
        # The data sheet bounds both: tables whose operands stay in cache are not to be believed.
        free_mma = mma > self.least_mma[rows]
        free_memory = memory > self.least_memory[rows]
        mma = np.maximum(mma, self.least_mma[rows])
        memory = np.maximum(memory, self.least_memory[rows])
        launch = np.exp(p[LAUNCH]) * 1e-6
        if self.only:
            launch = 0.0
            mma = mma if self.only == "mma" else np.full(len(k), 1e-300)
            memory = memory if self.only == "memory" else np.full(len(k), 1e-300)
        t = launch + np.maximum(mma, memory) + p[OVERLAP] * np.minimum(mma, memory)
        cast_start, cast = 0.0, 0.0
        if self.cast:
            cast_start = np.exp(p[CAST_LAUNCH]) * 1e-6
            cast = self.cast_bytes[rows] / (self.bandwidth * np.exp(p[CAST_BANDWIDTH]))
            t = t + cast_start + cast
        if not slope:
            return np.log(t), None

        d_mma = np.where(mma > memory, mma, p[OVERLAP] * mma) / t
        d_memory = np.where(mma > memory, p[OVERLAP] * memory, memory) / t
        d_mma, d_memory = d_mma * free_mma, d_memory * free_memory
        j = np.zeros((len(k), self.total))
        ways = self.ways[pick]
        depth = k + ways * (half + np.where(ways > 1, split, 0))
        whole, least = self.whole[pick, rows], self.least[pick, rows]
        waves = share * whole + (1 - share) * least
        j[:, EFFICIENCY], j[:, BANDWIDTH] = -d_mma, -d_memory
        j[:, DEPTH] = d_mma * ways * half / depth
        j[:, SPLIT] = d_mma * np.where(ways > 1, ways * split, 0) / depth
        j[:, WHOLE] = d_mma * (whole - least) / waves * share * (1 - share)
        j[:, LAUNCH] = launch / t
        j[:, OVERLAP] = np.minimum(mma, memory) / t
        j[:, CAST_LAUNCH], j[:, CAST_BANDWIDTH] = cast_start / t, -cast / t
        j[np.arange(len(k)), SCALARS + pick] = d_mma
        for c in OF_MMA:
            j[:, self.part[c]] = self.weights[c][rows] * (d_mma / factor[c])[:, None]
        for c in OF_MEMORY:
            j[:, self.part[c]] = self.weights[c][rows] * (d_memory / factor[c])[:, None]
        return np.log(t), j


def doubled(points, part, which, device):
    """(less, more) models of one part of the time: size number `which` of the points doubled."""
    def at(sizes):
        model = Model(*sizes, np.ones(len(sizes[0])), *device)
        model.cast, model.only = False, part
        return model

    more = [x * (2.0 if i == which else 1.0) for i, x in enumerate(points)]
    return at(points), at(more)


def some_sizes(random, count):
    """m, n, k in whole tiles up to 127 of them, half of them evenly and half by magnitude."""
    evenly = random.randint(1, 128, (3, count // 2))
    magnitude = np.floor(2 ** random.uniform(0, 7, (3, count - count // 2)))
    return list(128.0 * np.concatenate([evenly, magnitude], axis=1))


def order(device):
    """What may not fall when a size doubles: compute and traffic, each for itself, so that the
    catalogue's siblings, which scale one of them, keep their order too."""
    points = some_sizes(np.random.RandomState(2), 500)
    few = 2.0 ** np.arange(0, 11)
    m, n, k = (x.ravel() for x in np.meshgrid(few, [1024.0, 8192], [1024.0, 8192], indexing="ij"))
    pairs = [doubled(points, "mma", i, device) for i in range(3)]
    return pairs + [doubled([m, n, k], "memory", 0, device)]


def broken(p, device, seed):
    """The worst of many products whose compute time falls when a size doubles, as further pairs."""
    points = some_sizes(np.random.RandomState(seed), 20000)
    rows, found = np.arange(20000), []
    for i in range(3):
        less, more = doubled(points, "mma", i, device)
        short = less.log_time(p, rows, False)[0] - more.log_time(p, rows, False)[0] + 0.001
        worst = np.argsort(-short)[:300]
        worst = worst[short[worst] > 0]
        if len(worst):
            found.append(doubled([x[worst] for x in points], "mma", i, device))
    return found


def robust_fit_from(model, p, low, high, rows, weight, pairs):
    anchor = p.copy()
    for c in OF_MMA + OF_MEMORY:
        anchor[model.part[c]] = 1.0
    return robust_fit(model, anchor, low, high, model.priors(), rows, weight, 12, pairs, p).x


def in_training_domain(m, n, k):
    return (m >= 1024) & (n >= 512) & (k >= 512)


def split(n, k):
    return held_out(n, k)


def fit(m, n, k, seconds, units, peak, bandwidth, precision):
    """Coefficients as the catalogue names them, and the errors on held-out (n, k) pairs."""
    model = Model(m, n, k, seconds, units, peak, bandwidth, precision)
    out = split(n, k)
    training = in_training_domain(m, n, k)
    weight = np.where(training, 3.0, 1.0)
    rows = np.where(~out)[0]
    some = np.random.RandomState(1).choice(rows, min(len(rows), 3000), replace=False)
    device = (units, peak, bandwidth, precision)
    pairs = order(device)
    best = None
    for whole, half_depth in ((-2, 100), (0, 100), (1.5, 100), (1.5, 500)):
        start, low, high = model.start(whole, half_depth)
        r = robust_fit(model, start, low, high, model.priors(), some, weight, 15, pairs)
        if best is None or r.cost < best.cost:
            best = r
    _, low, high = model.start(0, 100)
    p = best.x.copy()
    for c in OF_MMA + OF_MEMORY:
        p[model.part[c]] = 1.0
    r = robust_fit(model, p, low, high, model.priors(), rows, weight, 40, pairs)
    p = r.x
    for seed in range(3, 9):
        more = broken(p, device, seed)
        if not more:
            break
        pairs += more
        p = robust_fit_from(model, p, low, high, rows, weight, pairs)

    # What the catalogue prints has three digits: judge that.
    named = rounded(model, p)
    p = coefficients(model, named)
    t, _ = model.log_time(p, np.arange(len(m)), False)
    error = np.abs(np.exp(t - model.y) - 1)
    judged = {
        "training": quantiles(error[out & training]),
        "training_seen": quantiles(error[~out & training]),
        "all": quantiles(error[out]),
        "few_rows": quantiles(error[out & (m <= 16)]),
        "rows": int(np.sum(out & training)),
    }
    return named, judged


# Curves are 1 here, so that `efficiency` and `bandwidth` are what such a product reaches.
REFERENCE = {"waves": 8.0, "depth": 13.0, "work": 39.0, "columns": 13.0, "rows": 13.0,  # 8192 cubed
             "traffic": 28.0, "thin": 10.0}


def normalised(model, p):
    p = p.copy()
    for c in OF_MMA + OF_MEMORY:
        here = (basis(KNOTS[c], np.array([REFERENCE[c]])) @ p[model.part[c]])[0]
        p[model.part[c]] /= here
        p[EFFICIENCY if c in OF_MMA else BANDWIDTH] -= np.log(here)
    return p


def rounded(model, p):
    e = np.exp
    p = normalised(model, p)
    named = {"efficiency": e(p[EFFICIENCY]), "half_depth": e(p[DEPTH]),
             "whole_waves": 1 / (1 + e(-p[WHOLE])), "launch": e(p[LAUNCH]),
             "split_depth": e(p[SPLIT]), "bandwidth": e(p[BANDWIDTH]), "overlap": p[OVERLAP]}
    if model.cast:
        named["cast_bandwidth"] = e(p[CAST_BANDWIDTH])
        named["cast_launch"] = e(p[CAST_LAUNCH])
    named["tiles"] = list(e(p[model.tiles]))
    for c in OF_MMA + OF_MEMORY:
        named[c] = list(p[model.part[c]])
    short = lambda v: float(f"{v:.3g}")
    return {key: [short(x) for x in v] if isinstance(v, list) else short(v)
            for key, v in named.items()}


def coefficients(model, named):
    p, log = np.ones(model.total), np.log
    whole = min(max(named["whole_waves"], 1e-9), 1 - 1e-9)
    p[:SCALARS] = [log(named["efficiency"]), log(named["half_depth"]), log(whole / (1 - whole)),
                   log(named["launch"]), log(named["split_depth"]), log(named["bandwidth"]),
                   named["overlap"], log(named.get("cast_bandwidth", 1)),
                   log(named.get("cast_launch", 1e-9))]
    p[model.tiles] = log(named["tiles"])
    for c in OF_MMA + OF_MEMORY:
        p[model.part[c]] = named[c]
    return p
