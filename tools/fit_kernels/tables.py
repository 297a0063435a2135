"""Reads aiconfigurator's kernel tables and knows which device of the catalogue each measures."""

import csv
import gzip
import pathlib

import numpy as np

# Directory -> catalogue entry, multiprocessors, memory bandwidth, dense peaks (data/catalog/accelerator).
DEVICES = {
    "a100_sxm": ("a100-sxm-80gb", 108, 2039e9, {"bf16": 312e12}),
    "h100_sxm": ("h100-sxm", 132, 3350e9, {"bf16": 989.4e12, "fp8": 1979e12, "fp8-block": 1979e12}),
    "h200_sxm": ("h200-sxm", 132, 4800e9, {"bf16": 989.4e12, "fp8": 1979e12, "fp8-block": 1979e12}),
    "b200_sxm": ("b200-sxm", 148, 8000e9, {"bf16": 2250e12, "fp8": 4500e12, "fp8-block": 4500e12, "nvfp4": 9000e12}),
    "gb200": ("gb200", 152, 8000e9, {"bf16": 2500e12, "fp8": 5000e12, "fp8-block": 5000e12, "nvfp4": 10000e12}),
    "b300_sxm": ("b300-sxm", 148, 8000e9, {"bf16": 2250e12, "fp8": 4500e12, "fp8-block": 4500e12, "nvfp4": 13500e12}),
    "gb300": ("gb300", 152, 8000e9, {"bf16": 2500e12, "fp8": 5000e12, "fp8-block": 5000e12, "nvfp4": 15000e12}),
    "l40s": ("l40s", 142, 864e9, {"bf16": 362e12, "fp8": 733e12, "fp8-block": 733e12}),
    "rtx_pro_6000_server": ("rtx-pro-6000-server", 188, 1597e9,
                            {"bf16": 503.8e12, "fp8": 1007.6e12, "fp8-block": 1007.6e12, "nvfp4": 2015.2e12}),
}
NAMES = {"bf16": "bfloat16", "fp8": "fp8", "fp8-block": "fp8_block", "nvfp4": "nvfp4"}


def read(root, device, table, columns, keep, backend="trtllm"):
    """Columns as arrays (numbers) of the rows for which keep(row) holds; latency in seconds."""
    path = pathlib.Path(root) / device / f"{table}.{backend}.csv.gz"
    found = {c: [] for c in columns}
    with gzip.open(path, "rt") as text:
        for row in csv.DictReader(text):
            if keep(row):
                for c in columns:
                    found[c].append(float(row[c]))
    out = {c: np.array(v) for c, v in found.items()}
    if "latency" in out:
        out["latency"] = out["latency"] * 1e-3
    return out
