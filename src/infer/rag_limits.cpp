#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/rag_study.hpp"

namespace headroom::infer {

namespace {
constexpr double near_shortfall = 0.10;  // margins below it name their remedies
}

void RagStudy::search_limits() {
  if (spec.node_count > 0) {
    const auto nodes =
        book.constant("search-nodes-had", Scalar(spec.node_count), "node", published("scenario"));
    Information one = r.index.value;
    std::vector<NodeId> indexes = {r.index.node};
    if (spec.hybrid) one = one + r.lexical_index.value, indexes.push_back(r.lexical_index.node);
    const auto copies = book.derive("index-all-copies", one * double(spec.index_replicas), "GB",
                                    "index x copies", indexes);
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

RagResult RagStudy::variant(RagSpec other) const {
  Trace scratch;
  RagDemand same = demand;
  other.first_token = {};
  if (same.hardware.gpus) {
    same.hardware.gpus =
        scratch.constant("had", demand.hardware.gpus->value, "GPU", assumed("as before"));
  }
  return assess(other, same, scratch);
}

void RagStudy::first_token_remedies(Margin& m) const {
  const Time allowed = spec.first_token.get();
  RagSpec faster = spec;
  if (ttft_passed_on) {
    faster.llm.slo.ttft = Value<Time>(allowed - before_llm(), left_over());
  } else if (allowed > before_llm()) {
    faster.llm.slo.ttft = Value<Time>((allowed - before_llm()) / 1.1, left_over());
    const auto v = variant(faster);
    if (v.service.feasible) {
      m.remedies.push_back({"ask a TTFT of " + format(faster.llm.slo.ttft.get(), "ms") +
                                " of the language model: " +
                                amount(v.service.replicas_needed.value.si(), "replicas", 6) +
                                " of TP " + std::to_string(v.service.layout.tp) + ", " +
                                amount(v.gpus_needed.value.si(), "GPUs", 6) + " in all",
                            {},
                            {},
                            "this model"});
    }
  }
  auto offer = [&](const RagSpec& other, const std::string& action) {
    const auto v = variant(other);
    if (v.first_token.node == no_node || v.first_token.value >= r.first_token.value) return;
    m.remedies.push_back({action + ": " + format(v.first_token.value, "s") +
                              " to the first token, " +
                              amount(v.gpus_needed.value.si(), "GPUs", 6) + " in all",
                          {},
                          {},
                          "this model"});
  };
  if (const double k = std::floor(top_k.value.si() / 2); k >= 1) {
    RagSpec fewer = spec;
    if (ttft_passed_on) fewer.llm.slo.ttft = faster.llm.slo.ttft;
    fewer.top_k = Value<Scalar>(k, assumed("half as many"));
    offer(fewer, "put " + amount(k, "chunks", 4) + " into the prompt in place of " +
                     amount(top_k.value.si(), "", 4));
  }
  if (spec.hybrid && r.lexical_time.value > r.vector_time.value) {
    RagSpec plain = spec;
    plain.hybrid = false;
    offer(plain, "search the vectors alone");
  }
  if (const double k = std::floor(candidates.value.si() / 2); k >= 1) {
    RagSpec fewer = spec;
    if (ttft_passed_on) fewer.llm.slo.ttft = faster.llm.slo.ttft;
    fewer.candidates = Value<Scalar>(k, assumed("half as many"));
    offer(fewer, "rerank " + amount(k, "candidates", 5) + " in place of " +
                     amount(candidates.value.si(), "", 5));
  }
}

void RagStudy::first_token_limit() {
  if (!spec.first_token) return;
  const auto have = book.input("first-token-slo", spec.first_token, "s");
  auto m = make_margin(book.id("first-token"), "question to first token, " + demand.scope,
                       r.first_token, have, "s")
               .because("Embedding " + format(r.embed_time.value, "ms") + ", search " +
                        format(r.search_time.value, "ms") + ", reranking " +
                        format(r.rerank_time.value, "ms") + ", first token of the LLM " +
                        format(r.service.ttft.value, "ms") + ".");
  // A TTFT that this deadline made is no promise of its own: its remedies belong here.
  auto& margins = r.findings.margins;
  const auto inner = std::find_if(margins.begin(), margins.end(), [&](const Margin& other) {
    return ttft_passed_on && other.id == book.id("llm.ttft");
  });
  if (inner != margins.end()) {
    for (auto& remedy : inner->remedies) {
      if (m.headroom() < near_shortfall && remedy.action.rfind("allow", 0) != 0) {
        m.remedies.push_back(std::move(remedy));
      }
    }
    margins.erase(inner);
  }
  if (m.headroom() < near_shortfall) first_token_remedies(m);
  margins.push_back(std::move(m));
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

}  // namespace headroom::infer
