"""The fits: shared terms, whole groups left out, calibrations of single groups."""
import random
from collections import defaultdict

NOISE = 0.06    # relative error below which a row counts in full
OUTLYING = 0.12
# Pulls: a term's physical value, and how far from it data may take it before it costs as much as
# NOISE on one row.
PULLS = {"collectives": (1, 0.1), "collectives_p": None, "passes": (8, 4), "small": (3, 2), "step": (1.0, 0.5),
         "layer": (6, 6), "sequence": (6, 4), "products": (1, 0.1), "prompts": (1, 0.15), "experts": (1, 0.15),
         "expert_prompts": (1, 0.15), "mixtures": (1, 0.1), "mixture_prompts": (1, 0.1)}
FIXED = ("fixed", "fixed_p", "cache")
OWN = {"experts": "mixtures", "expert_prompts": "mixture_prompts"}
ALIAS = {"collectives_p": "collectives", "passes_p": "passes"}


def pull(key):
    return PULLS[key.split(" ")[0]]


def shared(row):
    """The row's terms that are fitted, and what is taken as it is."""
    out, fixed = defaultdict(float), 0.0
    for key, value in row["features"].items():
        if key in FIXED:
            fixed += value
        else:
            out[ALIAS.get(key, key)] += value
        # What an engine's own kernels for experts take beside the format's factor.
        for part, own in OWN.items():
            if key.startswith(part + " "):
                out[f"{own} {row['engine']}"] += value
                fixed -= value
    return out, fixed


def solve(matrix, wanted, weights, pulls, rounds=400):
    """min sum w (A x - b)^2 + sum ((x - p) / s)^2, x >= 0, by coordinate descent on the normal equations."""
    n = len(pulls)
    square = [[0.0] * n for _ in range(n)]
    right = [0.0] * n
    for row, b, w in zip(matrix, wanted, weights):
        filled = [(i, v) for i, v in enumerate(row) if v]
        for i, v in filled:
            right[i] += w * v * b
            for j, u in filled:
                square[i][j] += w * v * u
    for i, (value, spread) in enumerate(pulls):
        square[i][i] += 1 / spread**2
        right[i] += value / spread**2
    x = [value for value, _ in pulls]
    for _ in range(rounds):
        moved = 0.0
        for i in range(n):
            gradient = right[i] - sum(square[i][j] * x[j] for j in range(n))
            new = max(0.0, x[i] + gradient / square[i][i])
            moved = max(moved, abs(new - x[i]))
            x[i] = new
        if moved < 1e-9:
            break
    return x


def robust(matrix, wanted, base, pulls, rounds=6):
    weights = list(base)
    x = [p for p, _ in pulls]
    for _ in range(rounds):
        x = solve(matrix, wanted, weights, pulls)
        errors = [abs(sum(a * b for a, b in zip(row, x)) - want) for row, want in zip(matrix, wanted)]
        weights = [w / max(1.0, e / OUTLYING) for w, e in zip(base, errors)]
    return x


def fit(table):
    """Shared terms from these rows. A group's weight grows with the root of its rows."""
    sizes = defaultdict(int)
    for r in table:
        sizes[r["group"], r["kind"]] += 1
    split = [shared(r) for r in table]
    keys = sorted({k for terms, _ in split for k in terms})
    matrix = [[terms.get(k, 0.0) / r["measured"] for k in keys] for (terms, _), r in zip(split, table)]
    wanted = [1 - fixed / r["measured"] for (_, fixed), r in zip(split, table)]
    base = [(8 / sizes[r["group"], r["kind"]])**0.5 / NOISE**2 for r in table]
    return dict(zip(keys, robust(matrix, wanted, base, [pull(k) for k in keys])))


def predict(terms, row):
    values, fixed = shared(row)
    return fixed + sum(terms.get(k, pull(k)[0]) * v for k, v in values.items())


# --- One group -------------------------------------------------------------------

# Pulls of products, caches, prompts, per step (ms), per sequence (us).
LOCAL = (0.3, 0.3, 0.3, 1.0, 10.0)
LOCAL_NOISE = 0.04


def local_terms(terms, row):
    """Kernels of decodes, caches, kernels of prompts, steps, sequences: as the shared fit has them."""
    f = row["features"]
    value = lambda k: terms.get(k, pull(k)[0])
    decode = prompt = 0.0
    for key, v in f.items():
        head = key.split(" ")[0]
        own = value(f"{OWN[head]} {row['engine']}") - 1 if head in OWN else 0
        if head in ("products", "experts", "collectives", "passes", "small"):
            decode += (value(key) + (own if head == "experts" else 0)) * v
        elif head in ("prompts", "expert_prompts"):
            prompt += (value(key) + (own if head == "expert_prompts" else 0)) * v
        elif head in ALIAS:
            prompt += value(ALIAS[key]) * v
    steps = next(v for k, v in f.items() if k.startswith("step "))
    sequences = next(v for k, v in f.items() if k.startswith("sequence "))
    return [decode + f["fixed"], f["cache"], prompt + f["fixed_p"], steps, sequences]


def host(terms, row):
    """Host time of a step in ms and of a sequence in us, shared fit."""
    f, e = row["features"], row["engine"]
    layers = f[f"layer {e}"] / f[f"step {e}"]
    get = lambda k: terms.get(f"{k} {e}", pull(k)[0])
    return get("step") + layers * get("layer"), get("sequence")


def calibrate(table, terms):
    step, sequence = host(terms, table[0])
    pulls = list(zip((1, 1, 1, step, sequence), LOCAL))
    matrix = [[v / r["measured"] for v in local_terms(terms, r)] for r in table]
    return robust(matrix, [1.0] * len(table), [1 / LOCAL_NOISE**2] * len(table), pulls)


def calibrated(x, terms, row):
    return sum(a * b for a, b in zip(x, local_terms(terms, row)))


def halves(table, terms, draws=8):
    """Measured over predicted of rows that their calibration did not see."""
    out = []
    for draw in range(draws):
        order = list(table)
        random.Random(draw).shuffle(order)
        middle = len(order) // 2
        for seen, unseen in ((order[:middle], order[middle:]), (order[middle:], order[:middle])):
            x = calibrate(seen, terms)
            out += [r["measured"] / calibrated(x, terms, r) for r in unseen]
    return out


LEAST_ROWS = 4


def fit_all(table):
    usual = [r for r in table if not r["odd"]]
    terms = fit(usual)
    groups = defaultdict(list)
    for r in table:
        groups[r["group"]].append(r)
    for name, members in groups.items():
        without = fit([r for r in usual if r["group"] != name])
        for r in members:
            r["unseen"] = r["measured"] / predict(without, r)
    calibrations = {}
    for name, members in groups.items():
        if len(members) < LEAST_ROWS or members[0]["kind"] != "closed":
            # Offline memory decides too; open loops are predicted without a number of their model.
            continue
        calibrations[name] = (calibrate(members, terms), halves(members, terms), len(members))
    return {"terms": terms, "calibrations": calibrations, "groups": groups}


def quantile(values, share):
    order = sorted(values)
    at = share * (len(order) - 1)
    low = int(at)
    high = min(low + 1, len(order) - 1)
    return order[low] + (order[high] - order[low]) * (at - low)


def errors(ratios):
    return [abs(1 / q - 1) for q in ratios]


def line(name, ratios):
    e = errors(ratios)
    return (f"{name:62} {len(ratios):4} median {100 * quantile(e, 0.5):5.1f} p90 {100 * quantile(e, 0.9):5.1f} "
            f"predicted/measured {1 / quantile(ratios, 0.5):.2f}")


def report(table, fitted):
    for key, value in sorted(fitted["terms"].items()):
        print(f"{key:40} {value:.3f}")
    for kind in ("closed", "offline", "open"):
        rows = [r for r in table if r["kind"] == kind]
        if not rows:
            continue
        usual = [r for r in rows if not r["odd"]]
        print(line(f"{kind}: fit", [r["measured"] / predict(fitted["terms"], r) for r in usual]))
        print(line(f"{kind}: whole groups left out", [r["unseen"] for r in usual]))
        print(line(f"{kind}: whole groups left out, odd rows too", [r["unseen"] for r in rows]))
        held = [q for name, (_, qs, _) in fitted["calibrations"].items()
                if fitted["groups"][name][0]["kind"] == kind for q in qs]
        if held:
            print(line(f"{kind}: calibrated on half a group, the other half", held))
    for name, members in sorted(fitted["groups"].items()):
        print(line("  " + " ".join(name) + ", left out", [r["unseen"] for r in members]))
        if name in fitted["calibrations"]:
            x, held, _ = fitted["calibrations"][name]
            print(line("      calibrated " + " ".join(f"{v:.2f}" for v in x), held))
