#include "infer/rag.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/queue.hpp"

namespace headroom::infer {

namespace {

constexpr double support_ceiling = 0.6;  // load of embedding and reranking GPUs (assumed)

struct RagStudy {
  RagStudy(const RagSpec& s, const RagDemand& d, Trace& t) : spec(s), demand(d), book(t, d.scope) {}

  bool complete_input();
  void corpus();
  void search();
  void support();
  void service();
  void chain();
  void search_limits();
  void first_token_limit();
  void refresh_limit();

  template <class Q>
  Figure<Q> given(const char* key, const Value<Q>& v, Q fallback, const char* why,
                  const char* unit) {
    return book.input(key, v.or_else(Value<Q>(fallback, assumed(why))), unit);
  }

  const RagSpec& spec;
  const RagDemand& demand;
  Book book;
  RagResult r;
  Traffic traffic;
  workload::VectorIndex index;
  workload::SearchFleet fleet;
  Figure<Scalar> documents, recall, top_k, candidates;
  Figure<Tokens> document, chunk, question;
  Figure<Rate> peak;
  Figure<Information> node_memory;
  NodeId embed_node = no_node, device_node = no_node;
  double embed_rate = 0, rerank_rate = 0;
};

bool RagStudy::complete_input() {
  auto& remarks = r.findings.remarks;
  if (!demand.llm) remarks.push_back(demand.scope + ": no language model, RAG not computed");
  if (!demand.embedding) remarks.push_back(demand.scope + ": no embedding model, RAG not computed");
  if (!demand.hardware.accelerator) {
    remarks.push_back(demand.scope + ": no accelerator, RAG not computed");
  }
  traffic = complete(spec.llm.traffic, demand.trace);
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
  const workload::SearchNode node{double(spec.node_cores), node_memory.value, 0.6};
  fleet = workload::size_search(index, r.chunks.value.si(), recall.value.si(), peak.value, node);
  const double copies = std::max<double>(fleet.replicas, spec.index_replicas);
  r.search_nodes = book.derive("search-nodes", Scalar(fleet.shards * copies), "node",
                               "shards that hold the index x copies that carry the rate",
                               {r.index, node_memory, peak, recall});
  const double tail = -std::log(1 - 0.99);  // p99 of an exponential of this mean
  r.search_time =
      book.derive("search-time", fleet.latency * tail, "ms",
                  "4.6 x mean of a query (p99 of an exponential)", {r.index, recall, peak});
}

void RagStudy::support() {
  top_k = given("top-k", spec.top_k, Scalar(8.0), "eight passages in the prompt", "");
  candidates = given("candidates", spec.candidates, Scalar(0.0), "no reranker", "");
  question = book.input("question-tokens", traffic.input.mean, "token");
  const auto& ranker = demand.reranker ? *demand.reranker : *demand.embedding;
  const double pair = chunk.value.si() + std::min(question.value.si(), chunk.value.si());
  rerank_rate = std::max(
      embedding_rate(ranker, *demand.hardware.accelerator, Precision::bf16, pair).si(), 1e-9);
  const double asked = std::min(question.value.si(), 8192.0);
  // One GPU is lightly loaded when its stage starts; at 60 % an M/M/1 stage takes 2.5 services.
  const double queue = 1 / (1 - support_ceiling);
  r.embed_time =
      book.derive("embed-time", (asked / embed_rate * queue) * second + 5 * millisecond, "ms",
                  "question / tokens a GPU embeds, queue at 60 %, 5 ms of host (assumed)",
                  {question, embed_node, device_node});
  const double ranked = candidates.value.si() * pair;
  r.rerank_time =
      book.derive("rerank-time", ranked / rerank_rate * queue * second, "ms",
                  "candidates x (chunk + question) / tokens a GPU reranks, queue at 60 %",
                  {candidates, chunk, question, device_node});
  const double work = peak.value.si() * (asked / embed_rate + ranked / rerank_rate);
  r.support_gpus =
      book.derive("support-gpus", Scalar(std::max(1.0, std::ceil(work / support_ceiling - 1e-9))),
                  "GPU", "peak rate x (embedding + reranking time) / 60 %",
                  {peak, candidates, chunk, question, embed_node, device_node});
}

void RagStudy::service() {
  r.extra_prefill = book.derive("extra-prefill", top_k.value.si() * chunk.value, "token",
                                "top_k x chunk", {top_k, chunk});
  ServiceSpec llm = spec.llm;
  llm.traffic = traffic;
  auto longer = [&](Value<Tokens>& v) {
    if (v)
      v = Value<Tokens>(v.get() + r.extra_prefill.value, assumed("question and retrieved chunks"));
  };
  const double own = std::max(question.value.si(), 1.0);
  const double share = traffic.prefix_share.or_else(Scalar(0.0)).si();
  longer(llm.traffic.input.mean);
  longer(llm.traffic.input.p90);
  longer(llm.traffic.input.p99);
  // Retrieved passages differ from question to question; only the question's own share is cached.
  llm.traffic.prefix_share = Value<Scalar>(share * own / (own + r.extra_prefill.value.si()),
                                           assumed("retrieved chunks are not cached"));
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
  r.first_token = book.derive(
      "first-token",
      r.embed_time.value + r.search_time.value + r.rerank_time.value + r.service.ttft.value, "s",
      "embed + search + rerank + TTFT, tails added",
      {r.embed_time, r.search_time, r.rerank_time, r.service.ttft});
}

void RagStudy::search_limits() {
  if (spec.node_count > 0) {
    const auto nodes =
        book.constant("search-nodes-had", Scalar(spec.node_count), "node", published("scenario"));
    const auto copies = book.derive("index-all-copies", r.index.value * double(spec.index_replicas),
                                    "GB", "index x copies", {r.index});
    const auto memory = book.derive("search-memory", node_memory.value * double(spec.node_count),
                                    "GB", "nodes x memory of one", {nodes, node_memory});
    auto m =
        make_margin(book.id("index-memory"), "index memory, " + demand.scope, copies, memory, "GB")
            .because(amount(r.chunks.value.si(), "chunks", 7) + " x " +
                     std::to_string(index.dimensions) + " dimensions make " +
                     format(r.index.value, "GB") + " a copy.");
    if (m.headroom() < 0.1) {
      auto small = index;
      small.bytes_per_dimension = 1;
      m.remedies.push_back({"quantise vectors to int8: " +
                                format(workload::index_bytes(small, r.chunks.value.si()), "GB") +
                                " a copy (check the recall)",
                            {},
                            {},
                            {}});
      m.remedies.push_back(
          {"run " + amount(r.search_nodes.value.si(), "search nodes", 6), {}, {}, {}});
    }
    r.findings.margins.push_back(std::move(m));
    auto rate = make_margin(book.id("search"), "search nodes, " + demand.scope, r.search_nodes,
                            nodes, "node")
                    .because(format(peak.value, "request/s") + " at a recall of " +
                             amount(100 * recall.value.si(), "%") + ".");
    if (rate.headroom() < 0.1) {
      rate.remedies.push_back(
          {"add " + amount(std::max(r.search_nodes.value.si() - spec.node_count, 1.0),
                           "search nodes", 6),
           {},
           {},
           {}});
    }
    r.findings.margins.push_back(std::move(rate));
  }
}

void RagStudy::first_token_limit() {
  if (spec.first_token) {
    const auto have = book.input("first-token-slo", spec.first_token, "s");
    auto m = make_margin(book.id("first-token"), "question to first token, " + demand.scope,
                         r.first_token, have, "s")
                 .because("Embedding " + format(r.embed_time.value, "ms") + ", search " +
                          format(r.search_time.value, "ms") + ", reranking " +
                          format(r.rerank_time.value, "ms") + ", first token of the LLM " +
                          format(r.service.ttft.value, "ms") + ".");
    if (m.headroom() < 0.1) {
      m.remedies.push_back({"put fewer chunks into the prompt (each adds " +
                                format(chunk.value, "token") +
                                " of prefill), or rerank fewer candidates",
                            {},
                            {},
                            {}});
    }
    r.findings.margins.push_back(std::move(m));
  }
}

void RagStudy::refresh_limit() {
  if (!spec.refresh || spec.refresh.get().si() <= 0) return;
  const auto refresh = book.input("refresh", spec.refresh, "%");
  const auto need = book.derive(
      "refresh-gpu-time", r.build_gpu_hours.value.si() * refresh.value.si() * (1 * hour), "h",
      "GPU-hours of the corpus x share a day", {r.build_gpu_hours, refresh});
  const double spare = 1 - support_ceiling;
  const auto have =
      book.derive("refresh-gpu-time-had", r.support_gpus.value.si() * spare * (24 * hour), "h",
                  "what queries leave of the embedding GPUs (40 %) in a day", {r.support_gpus});
  auto m = make_margin(book.id("refresh"), "embedding of changed documents, " + demand.scope, need,
                       have, "h");
  m.why = "A full pass over the corpus takes " + amount(r.build_gpu_hours.value.si(), "GPU-hours") +
          ".";
  if (m.headroom() < 0.1) {
    const double more = std::ceil((need.value - have.value) / (24 * hour));
    m.remedies.push_back(
        {"add " + amount(std::max(more, 1.0), "GPUs for embedding", 5), {}, {}, {}});
  }
  r.findings.margins.push_back(std::move(m));
}

}  // namespace

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
