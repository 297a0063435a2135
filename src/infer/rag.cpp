#include "infer/rag.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/queue.hpp"
#include "infer/rag_study.hpp"

namespace headroom::infer {

namespace {

constexpr double list_overlap = 0.25;  // of BM25's candidates that the vectors found too (assumed)
constexpr double embed_host_s = 5e-3;  // tokenizer and reply around one query (assumed)

}  // namespace

SourcePtr left_over() {
  static const SourcePtr source = [] {
    Source s;
    s.title = "what embedding, search and reranking leave of the time to the first token";
    s.trust = Trust::derived;
    return std::make_shared<Source>(s);
  }();
  return source;
}

bool RagStudy::complete_input() {
  auto& remarks = r.findings.remarks;
  if (!demand.llm) remarks.push_back(demand.scope + ": no language model, RAG not computed");
  if (!demand.embedding) remarks.push_back(demand.scope + ": no embedding model, RAG not computed");
  if (!demand.hardware.accelerator) {
    remarks.push_back(demand.scope + ": no accelerator, RAG not computed");
  }
  traffic = complete(spec.llm.traffic, demand.trace);
  percentile = std::clamp(spec.llm.slo.percentile.or_else(Scalar(0.99)).si(), 0.5, 0.9999);
  arrival2 = std::pow(traffic.cv.or_else(Scalar(1.0)).si(), 2);
  if (!traffic.rate) remarks.push_back(demand.scope + ": no request rate, RAG not computed");
  if (!spec.documents) remarks.push_back(demand.scope + ": no documents given, RAG not computed");
  return remarks.empty();
}

void RagStudy::corpus() {
  documents = book.input("documents", spec.documents, "");
  document =
      given("document-tokens", spec.document_tokens, 2000 * token, "four pages of text", "token");
  chunk = given("chunk", spec.chunk, 512 * token, "passages of 512 tokens", "token");
  const auto overlap = given("overlap", spec.overlap, Scalar(0.1), "a tenth repeated", "%");
  embed_node = book.choice("embedding-model", demand.embedding->id);
  device_node = book.choice("accelerator", demand.hardware.accelerator->id);
  const double each =
      workload::chunk_count(document.value, chunk.value, chunk.value * overlap.value.si());
  r.chunks = book.derive("chunks", Scalar(documents.value.si() * each), "",
                         "documents x chunks of one, overlap counted",
                         {documents, document, chunk, overlap});
  embed_rate = std::max(embedding_rate(*demand.embedding, *demand.hardware.accelerator,
                                       Precision::bf16, chunk.value.si())
                            .si(),
                        1e-9);
  const double tokens = r.chunks.value.si() * chunk.value.si();
  r.build_gpu_hours = book.derive("build-gpu-hours", Scalar(tokens / embed_rate / 3600), "",
                                  "chunks x chunk / tokens a GPU embeds, in GPU-hours",
                                  {r.chunks, chunk, embed_node, device_node});
}

void RagStudy::search() {
  index.kind = spec.index;
  const auto dimensions =
      given("dimensions", spec.dimensions, Scalar(workload::vector_length(*demand.embedding)),
            "vector of the embedding model", "");
  index.dimensions = static_cast<int>(std::clamp(dimensions.value.si(), 1.0, 1e6));
  const auto bytes = given("bytes-per-dimension", spec.bytes_per_dimension, 4 * byte, "fp32", "B");
  index.bytes_per_dimension = bytes.value.in(byte);
  index.links = static_cast<int>(spec.links.or_else(Scalar(16.0)).si());
  recall = given("recall", spec.recall, Scalar(0.95), "19 of 20 neighbours found", "%");
  peak = book.input("peak-rate", traffic.peak, "request/s");
  node_memory = given("node-memory", spec.node_memory, 256 * gigabyte,
                      "a common server; half of it left to the rest", "GB");
  r.index = book.derive("index", workload::index_bytes(index, r.chunks.value.si()), "GB",
                        std::string(workload::index_kind_name(index.kind)) +
                            ": chunks x (dimensions x bytes + links) x overhead",
                        {r.chunks, dimensions, bytes});
  const double cores = std::max(spec.node_cores, 1);
  const workload::SearchNode node{cores, node_memory.value, search_ceiling};
  const double n = r.chunks.value.si();
  fleet = workload::size_search(index, n, recall.value.si(), peak.value, node);
  const double copies = std::max<double>(fleet.replicas, spec.index_replicas);
  if (spec.hybrid) lexical();
  r.search_nodes = book.derive("search-nodes", Scalar(fleet.shards * copies + lexical_nodes),
                               "node", "shards that hold an index x copies that carry the rate",
                               {r.index, node_memory, peak, recall});
  const auto core_time =
      book.input("query-core-time",
                 workload::query_core_time(index, n / fleet.shards, recall.value.si()), "ms");
  const auto alone = book.input(
      "query-alone", workload::query_latency(index, n / fleet.shards, recall.value.si()), "ms");
  // Nodes beyond the needed ones hold further copies and share the work.
  const double running =
      std::max(copies, std::floor((spec.node_count - lexical_nodes) / fleet.shards));
  r.search_busy = book.derive("search-busy", Scalar(fleet.load / (running * cores)), "%",
                              "peak rate x core time of a query / (copies x cores)",
                              {peak, core_time, r.search_nodes});
  const double busy = r.search_busy.value.si(), cv = workload::query_latency_cv;
  Response one;
  one.service_mean = alone.value.si();
  one.service_cv = cv;
  one.wait_mean = sakasegawa_wait(cores, busy, core_time.value.si(), arrival2, cv * cv);
  one.busy = wait_chance(cores, busy);
  const double lists = spec.hybrid ? 2 : 1;
  const auto vectors =
      book.derive(spec.hybrid ? "vector-time" : "search-time",
                  one.quantile(std::pow(percentile, 1 / (lists * fleet.shards))) * second, "ms",
                  "query alone x its spread at the percentile + wait for a core; the "
                  "slowest of all shards",
                  {alone, core_time, r.search_busy});
  (spec.hybrid ? r.vector_time : r.search_time) = vectors;
  if (spec.hybrid) later_of_both();
}

double RagStudy::stage(double service_s, double fixed_s) const {
  Response visit;
  visit.fixed = service_s + fixed_s;
  visit.wait_mean = support_wait_s;
  visit.busy = support_busy;
  return std::max(visit.quantile(percentile), visit.mean());
}

void RagStudy::support() {
  top_k = given("top-k", spec.top_k, Scalar(8.0), "eight passages in the prompt", "");
  candidates = given("candidates", spec.candidates, Scalar(0.0), "no reranker", "");
  question = book.input("question-tokens", traffic.input.mean, "token");
  const auto& ranker = demand.reranker ? *demand.reranker : *demand.embedding;
  const double pair = chunk.value.si() + std::min(question.value.si(), chunk.value.si());
  rerank_rate = std::max(
      embedding_rate(ranker, *demand.hardware.accelerator, Precision::bf16, pair).si(), 1e-9);
  const double embed_s = std::min(question.value.si(), 8192.0) / embed_rate;
  const double lists = spec.hybrid ? 2 - list_overlap : 1;
  const double rerank_s = lists * candidates.value.si() * pair / rerank_rate;
  const double work = peak.value.si() * (embed_s + rerank_s);
  r.support_gpus =
      book.derive("support-gpus", Scalar(std::max(1.0, std::ceil(work / support_ceiling - 1e-9))),
                  "GPU", "peak rate x (embedding + reranking time) / 60 %",
                  {peak, candidates, chunk, question, embed_node, device_node});
  // Both kinds of work queue for the same GPUs, one visit each.
  const double gpus = r.support_gpus.value.si(), busy = work / gpus;
  const double visits = rerank_s > 0 ? 2 : 1, mean = (embed_s + rerank_s) / visits;
  const double spread2 =
      (embed_s * embed_s + rerank_s * rerank_s) / visits / std::max(mean * mean, 1e-300) - 1;
  support_wait_s = sakasegawa_wait(gpus, busy, mean, arrival2, spread2);
  support_busy = wait_chance(gpus, busy);
  const auto used = book.derive("support-busy", Scalar(busy), "%",
                                "peak rate x (embedding + reranking time) / GPUs",
                                {peak, candidates, r.support_gpus});
  r.embed_time = book.derive("embed-time", stage(embed_s, embed_host_s) * second, "ms",
                             "question / tokens a GPU embeds + wait at the percentile + 5 ms of "
                             "host (assumed)",
                             {question, embed_node, device_node, used});
  r.rerank_time = book.derive("rerank-time", (rerank_s > 0 ? stage(rerank_s, 0) : 0) * second, "ms",
                              "candidates x (chunk + question) / tokens a GPU reranks + wait at "
                              "the percentile",
                              {candidates, chunk, question, device_node, used});
}

Time RagStudy::before_llm() const {
  return r.embed_time.value + r.search_time.value + r.rerank_time.value;
}

ServiceSpec RagStudy::llm_spec() {
  ServiceSpec llm = spec.llm;
  llm.traffic = traffic;
  auto longer = [&](Value<Tokens>& v) {
    if (v)
      v = Value<Tokens>(v.get() + r.extra_prefill.value, assumed("question and retrieved chunks"));
  };
  const double own = std::max(question.value.si(), 1.0);
  const double questions_share = own / (own + r.extra_prefill.value.si());
  const double share = traffic.prefix_share.or_else(Scalar(0.0)).si();
  // The chunks are as many for every question, so they narrow the spread of the prompts.
  llm.traffic.input.variation =
      Value<Scalar>(traffic.input.cv(1) * questions_share,
                    assumed("the question's spread over the whole prompt"));
  longer(llm.traffic.input.mean);
  longer(llm.traffic.input.p90);
  longer(llm.traffic.input.p99);
  // Retrieved passages differ from question to question; only the question's own share is cached.
  llm.traffic.prefix_share =
      Value<Scalar>(share * questions_share, assumed("retrieved chunks are not cached"));
  if (spec.first_token && !llm.slo.ttft && spec.first_token.get() > before_llm()) {
    llm.slo.ttft = Value<Time>(spec.first_token.get() - before_llm(), left_over());
    ttft_passed_on = true;
  }
  return llm;
}

void RagStudy::service() {
  r.extra_prefill = book.derive("extra-prefill", top_k.value.si() * chunk.value, "token",
                                "top_k x chunk", {top_k, chunk});
  const ServiceSpec llm = llm_spec();
  ServiceDemand inner;
  inner.scope = demand.scope + ".llm";
  inner.model = demand.llm;
  inner.hardware = demand.hardware;
  if (demand.hardware.gpus) {
    const double left = demand.hardware.gpus->value.si() - r.support_gpus.value.si();
    inner.hardware.gpus = book.derive("gpus-for-llm", Scalar(std::max(left, 0.0)), "GPU",
                                      "GPUs had - GPUs for embedding and reranking",
                                      {demand.hardware.gpus->node, r.support_gpus.node});
  }
  r.service = assess(llm, inner, book.trace());
  r.findings.append(r.service.findings);
  r.gpus_needed = book.derive(
      "gpus-needed", Scalar(r.service.gpus_needed.value.si() + r.support_gpus.value.si()), "GPU",
      "LLM + embedding and reranking", {r.service.gpus_needed, r.support_gpus});
}

void RagStudy::chain() {
  r.first_token = book.derive("first-token", before_llm() + r.service.ttft.value, "s",
                              "embed + search + rerank + TTFT, tails added",
                              {r.embed_time, r.search_time, r.rerank_time, r.service.ttft});
}

RagResult assess(const RagSpec& spec, const RagDemand& demand, Trace& trace) {
  RagStudy study(spec, demand, trace);
  if (!study.complete_input()) return std::move(study.r);
  study.corpus();
  study.search();
  study.support();
  study.service();
  study.chain();
  study.search_limits();
  study.first_token_limit();
  study.refresh_limit();
  return std::move(study.r);
}

}  // namespace headroom::infer
