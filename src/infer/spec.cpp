#include "infer/spec.hpp"

#include <array>

#include "infer/queue.hpp"

namespace headroom::infer {

void Format::field(spec::Fields& f, std::string_view key, std::string_view doc) {
  static const auto names = [] {
    std::array<std::string_view, precision_count + 1> out{"auto"};
    const auto known = precision_names();
    for (std::size_t i = 0; i < known.size() && i < precision_count; ++i) out[i + 1] = known[i];
    return out;
  }();
  int index = given ? static_cast<int>(*given) + 1 : 0;
  f.choice(key, index, names, doc);
  if (index > 0)
    given = static_cast<Precision>(index - 1);
  else
    given.reset();
}

void Lengths::fields(spec::Fields& f) {
  f.shorthand("mean");
  f.number("mean", mean, "token", "Mean length").above(0);
  f.number("p90", p90, "token", "90th percentile; gives the spread when p99 is left out").above(0);
  f.number("p99", p99, "token", "99th percentile; gives the spread of a lognormal").above(0);
  f.number("variation", variation, "", "Standard deviation over mean, when no percentile is given")
      .between(0, 20);
}

double Lengths::cv(double fallback) const {
  if (!mean || mean.get().si() <= 0) return variation.or_else(Scalar(fallback));
  if (p99) return lognormal_cv(p99.get() / mean.get(), 0.99);
  if (p90) return lognormal_cv(p90.get() / mean.get(), 0.90);
  return variation.or_else(Scalar(fallback));
}

void Traffic::fields(spec::Fields& f) {
  f.number("rate", rate, "request/s", "Mean arrivals over the day").above(0);
  f.number("peak", peak, "request/s",
           "Arrivals in the busiest quarter of an hour, which sizes the fleet; default 2 x rate")
      .above(0);
  f.number("cv", cv, "",
           "Coefficient of variation of the gaps between arrivals, 1 for Poisson; default 1 or the "
           "trace's")
      .between(0, 20);
  f.object("input", input, "Prompt tokens of a request; default the trace's");
  f.object("output", output, "Answer tokens of a request; default the trace's");
  f.reference("trace", trace, "request-trace",
              "Trace whose statistics fill what is left out; default azure-conv-2023");
  f.number("prefix_share", prefix_share, "%",
           "Share of prompt tokens that the prefix cache already holds; default 0")
      .between(0, 100);
  f.number("growth", growth, "%", "Growth of traffic a year; default 0").between(-99, 10000);
}

void Slo::fields(spec::Fields& f) {
  f.number("ttft", ttft, "s", "Time to first token that is allowed; default not asked").above(0);
  f.number("tpot", tpot, "ms", "Time per output token that is allowed; default not asked").above(0);
  f.number("e2e", e2e, "s", "Time to the last token that is allowed; default not asked").above(0);
  f.number("percentile", percentile, "%",
           "Share of requests that must meet each of them; default 99 %")
      .between(50, 99.99);
  f.number("context", context, "token",
           "Longest prompt and answer together that must be served; default not asked")
      .above(0);
}

void Speculation::fields(spec::Fields& f) {
  f.integer("length", length, "Tokens drafted a step").between(1, 16);
  f.number("acceptance", acceptance, "%", "Chance that a drafted token is accepted; default 70 %")
      .between(0, 100);
  f.number("draft_cost", draft_cost, "%",
           "Time of one draft step over one step of the model; default 5 %")
      .between(0, 100);
}

void EngineSpec::fields(spec::Fields& f) {
  f.integer("tp", tp, "Tensor-parallel GPUs; 0 chooses").between(0, 1024);
  f.integer("pp", pp, "Pipeline stages; 0 chooses").between(0, 128);
  f.integer("ep", ep, "Ways that a mixture's experts are spread; 0 chooses").between(0, 1024);
  f.integer("attention_dp", attention_dp,
            "Replicas of attention beside each other (data-parallel attention); 0 chooses")
      .between(0, 1024);
  f.integer("max_batch", max_batch,
            "max_num_seqs; 0 takes vLLM's default, 1024 or on less than 70 GiB 256")
      .between(0, 65536);
  f.number("token_budget", token_budget, "token",
           "max_num_batched_tokens; default vLLM's, 8192 or on less than 70 GiB 2048")
      .above(0);
  f.number("memory_fraction", memory_fraction, "%", "gpu_memory_utilization; default 90 %")
      .between(10, 99);
  f.object("speculation", speculation, "Speculative decoding; default none");
}

void ServiceSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.reference("model", model, "model", "Model that is served").required();
  precision.field(f, "precision", "Format of the weights; auto is bf16");
  kv_precision.field(f, "kv_precision",
                     "Format of the KV cache; auto is bf16, or fp8 when the weights are narrower");
  f.object("traffic", traffic, "What arrives");
  f.object("slo", slo, "What was promised");
  f.object("engine", engine, "Overrides of how the engine runs");
  f.number("utilisation", utilisation, "%",
           "Highest share of its capacity a replica may carry at the peak; default 85 %")
      .between(1, 100);
  f.flag("spare_replica", spare_replica, "The peak must be carried with one replica lost");
}

namespace {
constexpr std::array<std::string_view, 3> index_names{"flat", "hnsw", "ivf-pq"};
}

void RagSpec::fields(spec::Fields& f) {
  f.number("documents", documents, "", "Documents in the corpus").at_least(0);
  f.number("document_tokens", document_tokens, "token", "Mean length of one; default 2,000")
      .above(0);
  f.number("chunk", chunk, "token", "Tokens of a chunk; default 512").above(0);
  f.number("overlap", overlap, "%", "Share of a chunk repeated in the next; default 10 %")
      .between(0, 90);
  f.reference("embedding_model", embedding_model, "model",
              "Model that embeds chunks and queries; default bge-m3");
  f.number("dimensions", dimensions, "", "Length of a vector; default the embedding model's")
      .above(0);
  f.choice("index", index, index_names, "Kind of vector index");
  f.number("bytes_per_dimension", bytes_per_dimension, "B",
           "Stored bytes of one dimension; default 4 (fp32)")
      .above(0);
  f.number("links", links, "", "HNSW links a node (M); default 16").between(2, 256);
  f.number("recall", recall, "%", "Recall the search must reach; default 95 %").between(50, 100);
  f.flag("hybrid", hybrid, "BM25 beside the vector search, fused by reciprocal rank");
  f.number("query_terms", query_terms, "", "Terms of a BM25 query; default 6").above(0);
  f.number("lexical_bytes", lexical_bytes, "B",
           "Inverted index of BM25, bytes a token of the documents; default 1.5")
      .above(0);
  f.number("top_k", top_k, "", "Chunks put into the prompt; default 8").at_least(0);
  f.number("candidates", candidates, "",
           "Chunks that the reranker reads for a query; default 0, no reranker")
      .at_least(0);
  f.reference("rerank_model", rerank_model, "model", "Cross-encoder; default the embedding model");
  f.number("refresh", refresh, "%", "Share of the corpus embedded again each day; default 0")
      .at_least(0);
  f.number("node_memory", node_memory, "GB", "Memory of one search node; default 256 GB").above(0);
  f.integer("node_cores", node_cores, "Cores of one search node").between(1, 1024);
  f.integer("node_count", node_count, "Search nodes that exist; 0 sizes them").between(0, 1000000);
  f.integer("index_replicas", index_replicas, "Copies of the index").between(1, 64);
  f.text("residency", residency, "Place that the documents may not leave");
  f.object("llm", llm, "Service that answers; its input is counted without the chunks");
  // A service that stands there without a model has said so itself.
  if (f.here().line > 0 && llm.origin.line == 0) {
    f.mistake("llm", "'llm' is missing",
              "llm: {model: qwen-2.5-32b, traffic: {rate: 1 request/s}}");
  }
  f.number("first_token", first_token, "s",
           "Time allowed from question to first token, all stages; default not asked")
      .above(0);
}

void EmbedSpec::fields(spec::Fields& f) {
  f.reference("model", model, "model", "Embedding model").required();
  precision.field(f, "precision", "Format of the weights; auto is bf16");
  f.number("corpus", corpus, "token", "Tokens to embed once; default none").at_least(0);
  f.number("within", within, "h", "Time allowed for them; default not asked").above(0);
  f.number("rate", rate, "request/s", "Queries to embed; default none").at_least(0);
  f.number("query", query, "token", "Tokens of one query or passage; default 512").above(0);
}

void VideoSpec::fields(spec::Fields& f) {
  f.reference("model", model, "model", "Diffusion model").required();
  precision.field(f, "precision", "Format of the weights; auto is bf16");
  f.number("clips", clips, "", "Clips, or pictures, a day").at_least(0);
  f.number("rate", rate, "1/s", "Clips or pictures a second, in place of clips; they queue")
      .above(0);
  f.integer("frames", frames, "Frames of a clip in place of its length; 1 is a picture")
      .between(0, 1000000);
  f.number("clip", clip, "s", "Length of one; default 5 s").above(0);
  f.number("width", width, "", "Pixels; default the model's").above(0);
  f.number("height", height, "", "Pixels; default the model's").above(0);
  f.number("frame_rate", frame_rate, "1/s", "Frames a second; default the model's").above(0);
  f.number("steps", steps, "", "Denoising steps; default the model's").above(0);
  f.number("mfu", mfu, "%", "Share of dense peak the network reaches; default 40 %")
      .between(1, 100);
  f.number("deadline", deadline, "s",
           "Time allowed from order to clip, at p99 with a rate; default not asked")
      .above(0);
  f.number("working_day", working_day, "h", "Hours a day in which clips are made; default 24 h")
      .between(0.1, 24);
  f.integer("gpus_per_clip", gpus_per_clip, "GPUs that work on one clip together").between(1, 64);
  if (clips && rate)
    f.mistake("rate", "'clips' and 'rate' both say how many",
              "give clips a day, or a rate a second");
}

void EdgeSpec::fields(spec::Fields& f) {
  f.reference("model", model, "model", "Model that runs at the site").required();
  precision.field(f, "precision", "Format of the weights; auto is int4");
  f.number("sites", sites, "", "Sites; default 1").at_least(0);
  f.number("devices", devices, "", "Boxes a site; default 1").at_least(1);
  f.number("requests", requests, "", "Requests a site and a day").at_least(0);
  f.number("peak_factor", peak_factor, "", "Busiest hour over the mean hour; default 4")
      .at_least(1);
  f.number("input", input, "token", "Prompt tokens; default 500").above(0);
  f.number("output", output, "token", "Answer tokens; default 150").above(0);
  f.number("min_speed", min_speed, "token/s", "Speed one user must see; default 10 token/s")
      .above(0);
  f.number("ttft", ttft, "s", "Time to first token that is allowed; default not asked").above(0);
  f.number("context", context, "token", "Longest prompt and answer; default input + output")
      .above(0);
  f.number("uplink", uplink, "ms", "Round trip to the central region it is compared with")
      .at_least(0);
  f.number("concurrency", concurrency, "", "Requests at once that one box must take; default 1")
      .at_least(1);
}

}  // namespace headroom::infer
