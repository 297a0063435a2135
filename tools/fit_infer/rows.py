"""Measured rows and the terms their time per token is made of."""
import json
import subprocess
import sys
from collections import Counter

# Parts of a source's names and what the catalogue calls them, most specific first.
MODELS = [("405b", "llama-3.1-405b"), ("llama-3.1-70b", "llama-3.1-70b"), ("llama v3.1 70b", "llama-3.1-70b"),
          ("v3.1 8b", "llama-3.1-8b"), ("3.1-8b", "llama-3.1-8b"), ("mistral 7b", "mistral-7b"),
          ("mixtral 8x22b", "mixtral-8x22b"), ("mixtral 8x7b", "mixtral-8x7b"), ("mixtral-8x7b", "mixtral-8x7b"),
          ("qwen3-32b", "qwen3-32b"), ("deepseek-v3", "deepseek-v3"), ("deepseek-r1", "deepseek-r1"),
          ("gpt-oss-120b", "gpt-oss-120b"), ("kimi-k2.5", "kimi-k2.5"), ("minimax-m2.5", "minimax-m2.5"),
          ("qwen3.5-397b", "qwen3.5-397b-a17b"), ("llama-2-70b", "llama-2-70b"), ("llama-2-7b", "llama-2-7b"),
          ("codellama-34b", "codellama-34b")]
GPUS = [("gb300", "gb300"), ("gb200", "gb200"), ("b300", "b300-sxm"), ("b200", "b200-sxm"), ("gh200", None),
        ("h200", "h200-sxm"), ("h100", "h100-sxm"), ("a100", "a100-sxm-80gb"), ("l40s", "l40s")]
ENGINES = {"vllm": "vllm-v1", "trtllm": "tensorrt-llm-1", "sglang": "sglang-0.5"}
# InferenceX draws lengths evenly from 0.8 to 1.0 of the nominal; NVIDIA's own runs do not.
DRAWN = 0.9
# Of ten waves of prompts the first is cut in on by half as many: 0.95 of the prompts of a steady state.
WAVES = 0.95
BUDGET = {"vllm-v1": 8192, "tensorrt-llm-1": 8192, "sglang-0.5": 8192, "tensorrt-llm-0.17": 8192, "open": 2048}
# Requests of TensorRT-LLM 0.17's runs by lengths, as src/validation/infer_case.cpp (recalled, unverified).
REQUESTS = {(128, 128): 30000, (128, 2048): 3000, (128, 4096): 1500, (500, 2000): 3000, (1000, 1000): 3000,
            (2048, 128): 3000, (2048, 2048): 1500, (5000, 500): 1500, (20000, 2000): 1000}
UNMIXED = {"sglang-0.5"}  # prompts run in steps of their own


def pick(table, name):
    name = name.lower()
    return next((to for part, to in table if part in name), None)


def read(path):
    with open(path) as lines:
        return [json.loads(line.strip()[2:]) for line in lines if line.startswith('  - {"id"')]


def precision(name):
    return {"fp4": "nvfp4", "bfloat16": "bf16", "fp16": "bf16"}.get(name, name)


def first(value):
    return next(iter(value.values())) if isinstance(value, dict) else value


def layout(row):
    """The source multiplied degrees: tp x ep, or tp x attention_dp, where those are used."""
    tp, ep = row["tp"], row.get("ep") or 1
    if row.get("attention_dp"):
        ranks = ep if tp == 1 else tp
        return {"tp": 1, "ep": ranks, "adp": ranks}
    if ep > 1 and tp == ep * ep:
        tp = ep
    return {"tp": tp, "ep": min(ep, tp), "adp": 1}


def kv_format(weights, model):
    """As src/validation/infer_case.cpp: published runs of narrow weights keep the cache in 8 bits
    (Little's law on rows whose users wait for memory), weight-only and GPT-OSS ones do not."""
    return "bf16" if weights in ("bf16", "int4") or model == "gpt-oss-120b" else "fp8"


def closed_loop(raw):
    for r in raw:
        if r["scenario"] != "closed-loop agg":
            continue
        model, gpu = pick(MODELS, r["model"]), pick(GPUS, r["gpu"])
        if not model or not gpu or r["n_gpu"] >= 72:  # those are disaggregated
            continue
        engine = ENGINES[r["engine"]]
        weights = "mxfp4" if model == "gpt-oss-120b" else precision(r["precision"])
        drawn = 1 if r["sid"].startswith(("meta_llama", "qwen_qwen3")) else DRAWN
        yield dict(id=r["id"], model=model, gpu=gpu, engine=engine, weights=weights,
                   kv=kv_format(weights, model), layout=layout(r), running=r["concurrency"],
                   input=r["isl"] * drawn, output=r["osl"] * drawn, cached=0, measured=first(r["tpot_ms"]),
                   memory=0.9, kind="closed", budget=BUDGET[engine],
                   # Odd: with multi-token prediction that the source leaves unsaid. Wrong: as fast as one user alone.
                   odd=model == "deepseek-r1" and engine == "tensorrt-llm-1",
                   wrong=model == "gpt-oss-120b" and r["concurrency"] == 512)


def offline(raw):
    for r in raw:
        if r["src"] != "trtllm-0.17":
            continue
        model, gpu = pick(MODELS, r["model"]), pick(GPUS, r["gpu"])
        if not model or not gpu:
            continue
        weights = precision(r["precision"])
        yield dict(id=r["id"], model=model, gpu=gpu, engine="tensorrt-llm-0.17", weights=weights,
                   kv="bf16" if weights == "bf16" else "fp8", layout={"tp": r["tp"], "ep": 1, "adp": 1},
                   running=4096, input=r["isl"], output=r["osl"], cached=0, rate=r["out_tok_s"], memory=0.95,
                   requests=REQUESTS.get((r["isl"], r["osl"]), 0), kind="offline", budget=BUDGET["tensorrt-llm-0.17"], odd=False)


def open_loop(path):
    """Little's law gives the running sequences; the client counts two events a token, so the time per
    token comes from the end-to-end mean. All but the last block of a prompt is cached."""
    for r in read(path):
        model = pick(MODELS, r["id"])
        for s in r["stages"]:
            tokens = r["workload"]["output_len"]
            decoding = s["e2e_ms"]["mean"] - s["ttft_ms"]["mean"]
            running = s["rate"] * decoding * 1e-3
            if model is None or s["failed"] > 0 or running > r["max_num_seqs"]:
                continue
            yield dict(id=f"{r['id']}@{s['rate']:g}", model=model, gpu="h100-sxm", engine="vllm-v1", weights="bf16",
                       kv="bf16", layout={"tp": r["tp"], "ep": 1, "adp": 1}, running=running,
                       input=s["prompt_tokens_mean"], output=tokens, cached=s["prompt_tokens_mean"] - 16,
                       measured=decoding / (tokens - 1), memory=0.9, kind="open", budget=BUDGET["open"],
                       prompts=s["rate"] * decoding / (tokens - 1) * 1e-3, odd=False)


class Terms:
    """bench/oracle_terms.cpp, each point asked once."""

    def __init__(self, binary):
        self.binary, self.known = binary, {}

    def __call__(self, points):
        lines = [json.dumps(p, sort_keys=True) for p in points]
        new = [line for line in dict.fromkeys(lines) if line not in self.known]
        if new:
            done = subprocess.run([self.binary], input="\n".join(new) + "\n", capture_output=True, text=True, check=True)
            self.known.update(zip(new, map(json.loads, done.stdout.splitlines())))
            for line in new:
                if "error" in self.known[line]:
                    sys.exit(f"fit-infer: {self.known[line]['error']}: {line}")
        return [self.known[line] for line in lines]


def generation(t):
    return next((g for g in ("Blackwell", "Hopper", "Ampere") if g in t["architecture"]), "")


def features(row, decodes, prompt, per_step):
    """Milliseconds of each term in a step that yields every running sequence a token. `decodes`: (terms, sequences,
    share of the steps)."""
    decode = decodes[0][0]
    out, gen = Counter(), generation(decode)
    wide, narrow = f"{decode['format']}|{gen}", f"{decode['expert_format']}|{gen}"
    mixed = row["engine"] not in UNMIXED
    steps = sum(times for _, _, times in decodes) + (0 if mixed else per_step)

    def of_decodes(t, times):
        out[f"products {wide}"] += times * t["products"]
        if t["mixture"]:
            out[f"experts {narrow}"] += times * t["experts"]
        out["collectives"] += times * t["reduce"]
        out["passes"] += times * t["pass"]
        out["small"] += times * t["launches"]
        out["fixed"] += times * (t["head"] + t["activation"])
        out["cache"] += times * t["cache"]

    for t, _, times in decodes:
        of_decodes(t, times)
    if not mixed:
        of_decodes(prompt, per_step)
    else:
        out["fixed"] += per_step * (prompt["head"] - decode["head"])
    out[f"prompts {wide}"] += per_step * prompt["products_p"]
    if decode["mixture"]:
        out[f"expert_prompts {narrow}"] += per_step * prompt["experts_p"]
    out["collectives_p"] += per_step * prompt["reduce_p"]
    out["passes_p"] += per_step * prompt["pass_p"]
    out["fixed_p"] += per_step * (prompt["activation_p"] + prompt["prompt"])
    out = Counter({k: 1e3 * v for k, v in out.items()})
    engine = row["engine"]
    out[f"step {engine}"] = steps
    out[f"layer {engine}"] = steps * decode["layers"] * 1e-3
    out[f"sequence {engine}"] = sum(n * times for _, n, times in decodes) * 1e-3
    return out


def held(row, t):
    """Sequences that the cache holds, as src/validation/infer_predict.cpp."""
    if row["engine"].startswith("tensorrt"):
        return row["memory"] * (t["memory_gb"] - t["weights_gb"] - t["workspace_gb"]) / t["kv_full_gb"]
    return (row["memory"] * t["memory_gb"] - t["weights_gb"] - t["workspace_gb"]) / t["kv_gb"]


def waves(row):
    """Batches a run of many requests of one length goes through, and how many steps a token each takes."""
    batch, requests = row["running"], row.get("requests", 0)
    if not requests or batch * row["input"] / row["budget"] >= row["output"]:
        return [(batch, 1.0)]
    whole = int(requests / batch + 1e-9)
    last = requests - whole * batch
    return [(batch, whole * batch / requests)] + ([(last, batch / requests)] if last >= 1 else [])


def load(folder, binary):
    ask = Terms(binary)
    raw = read(folder / "measured.yaml")
    table = list(closed_loop(raw)) + list(offline(raw))
    if (folder / "open_loop.yaml").exists():
        table += list(open_loop(folder / "open_loop.yaml"))
    for r in table:
        r["point"] = dict(model=r["model"], gpu=r["gpu"], weights=r["weights"], kv=r["kv"], engine=r["engine"],
                          blocks=r["weights"] == "fp8" and r["model"].startswith("qwen3"),
                          max_batch=4096 if r["kind"] == "offline" else 1024, **r["layout"])
        r["context"] = r["input"] + r["output"] / 2
        r["group"] = (r["model"], r["gpu"], r["engine"], r["weights"])
    keep = []
    full = ask([dict(r["point"], decodes=1, context=r["input"] + r["output"]) for r in table])
    for r, t, f in zip(table, ask([dict(r["point"], decodes=1, context=r["context"]) for r in table]), full):
        r["running"] = min(r["running"], held(r, dict(t, kv_full_gb=f["kv_gb"])), r.get("requests") or 1e9)
        if r["running"] >= 1 and not r.get("wrong"):
            keep.append(r)
    for r in keep:
        copies = r["layout"]["adp"]  # the engine starts a prompt on every attention replica at once
        fresh = r["input"] - r["cached"]
        chunks = max(1.0, fresh / r["budget"])
        mixed = r["engine"] not in UNMIXED
        r["waves"] = waves(r)
        r["points"] = [dict(r["point"], decodes=n, context=r["context"]) for n, _ in r["waves"]]
        r["points"] += [dict(r["point"], decodes=r["running"] if mixed else 0, context=r["context"],
                             prefill=fresh / chunks * copies, keys=r["cached"] + fresh / 2, prompts=copies)]
        r["parts"] = chunks / copies
    ask([p for r in keep for p in r["points"]])
    for r in keep:
        *decodes, prompt = ask(r["points"])
        begun = {"closed": WAVES * (r["running"] - 1), "offline": r["running"]}.get(r["kind"], 0)
        per_step = r.get("prompts", begun / max(r["output"], 2)) * r["parts"]
        r["features"] = features(r, [(t, n, w) for t, (n, w) in zip(decodes, r["waves"])], prompt, per_step)
        if r["kind"] == "offline":
            r["measured"] = 1e3 * r["running"] / r["rate"]
    return keep
