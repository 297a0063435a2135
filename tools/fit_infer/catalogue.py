"""Writes what was fitted into the catalogue's serving-software file."""
import re
from collections import defaultdict

from . import model

PATH = "data/catalog/serving-software/serving-software.yaml"


def span(ratios):
    low, likely, high = (model.quantile(ratios, q) for q in (0.1, 0.5, 0.9))
    # A range holds its likely value strictly inside.
    low, high = min(low, likely - 1e-3), max(high, likely + 1e-3)
    return "{low: %.4g, likely: %.4g @rows, high: %.4g}" % (low, likely, high)


def factors(terms, engine):
    """Kernel factors by format and generation, those of experts with the engine's own part."""
    table = defaultdict(dict)
    for key, value in terms.items():
        kind, _, where = key.partition(" ")
        if kind in ("products", "prompts", "experts", "expert_prompts"):
            own = terms.get(f"{model.OWN[kind]} {engine}", 1) - 1 if kind in model.OWN else 0
            table[where][kind] = max(0.05, value + own)
    lines = []
    for where, values in sorted(table.items(), key=lambda t: (t[0].split("|")[0], t[0].split("|")[1] == "", t[0])):
        precision, architecture = where.split("|")
        shown = ", ".join(f"{k}: {values[k]:.3g} @fit" for k in ("products", "prompts", "experts", "expert_prompts")
                          if k in values)
        place = f", architecture: {architecture}" if architecture else ""
        lines.append(f"      - {{precision: {precision}{place}, {shown}}}")
    return lines


def calibration(name, x, ratios, rows):
    products, caches, prompts, step, sequence = x
    return (f"      - {{model: {name[0]}, accelerator: {name[1]}, precision: {name[3]}, rows: {rows},\n"
            f"         products: {products:.4g} @cal, caches: {caches:.4g} @cal, prompts: {prompts:.4g} @cal,\n"
            f"         per_step: {step:.4g} ms @cal, per_sequence: {sequence:.4g} us @cal,\n"
            f"         residual: {span(ratios)}}}")


def entry(engine, fitted, timed):
    terms = fitted["terms"]
    get = lambda k: terms.get(k, model.pull(k)[0])
    lines = []
    if timed:
        lines = [f"    per_step: {get('step ' + engine):.4g} ms @fit",
                 f"    per_layer: {get('layer ' + engine):.4g} us @fit",
                 f"    per_sequence: {get('sequence ' + engine):.4g} us @fit"]
    lines += [f"    small_kernels: {get('small'):.4g} @fit", f"    stream_passes: {get('passes'):.4g} @fit",
              f"    collectives: {get('collectives'):.4g} @fit"]
    every = [r for members in fitted["groups"].values() for r in members if not r["odd"]]
    mine = [r for r in every if r["engine"] == engine] or [r for r in every if r["kind"] != "offline"]
    lines += [f"    unseen: {span([r['unseen'] for r in mine])}", f"    rows: {len(mine)}", "    kernels:"]
    lines += factors(terms, engine)
    chosen = sorted(n for n in fitted["calibrations"] if n[2] == engine)
    if chosen:
        lines.append("    calibrations:")
        lines += [calibration(n, *fitted["calibrations"][n]) for n in chosen]
    return lines


def write(root, table, fitted, check):
    """Replaces what stands between an entry's `# fitted: ENGINE` (or `# kernels:`, without host times) line and the next entry."""
    path = root / PATH
    text = path.read_text()
    out, skipping = [], False
    for line in text.splitlines():
        if re.match(r"  - id: ", line):
            skipping = False
        if skipping:
            continue
        out.append(line)
        found = re.match(r"    # (fitted|kernels): (\S+)", line)
        if found:
            out += entry(found[2], fitted, found[1] == "fitted")
            skipping = True
    new = "\n".join(out) + "\n"
    if new == text:
        return 0
    if check:
        print(f"fit-infer: {path} would change")
        return 1
    path.write_text(new)
    print(f"fit-infer: wrote {path}")
    return 0
