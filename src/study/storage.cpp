#include <algorithm>

#include "study/context.hpp"
#include "study/lines.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {
namespace {

// Token ids as 32-bit integers, the usual form of tokenised corpora.
const Value<Information>& bytes_per_token() {
  static const Value<Information> v(4 * byte, assumed("token ids are stored as 32-bit integers"));
  return v;
}

double total_nodes(const Context& c) {
  double nodes = 0;
  for (const auto& m : c.machines) nodes += m.systems.value;
  return nodes;
}

struct TrainingNeeds {
  double tokens = 0, tokens_per_s = 0, gpus = 0;
  Figure<Information> checkpoint;
  std::vector<NodeId> nodes;
};

TrainingNeeds training_needs(const Context& c) {
  TrainingNeeds needs;
  for (const auto& w : c.work) {
    if (w.spec->kind != WorkKind::train || w.product.run_tokens.node == no_node) continue;
    needs.tokens = std::max(needs.tokens, w.product.run_tokens.value.si());
    if (w.productive.value.si() > 0) {
      needs.tokens_per_s += w.product.run_tokens.value.si() / w.productive.value.si();
    }
    needs.gpus += w.gpus_held;
    needs.nodes.push_back(w.product.run_tokens.node);
    needs.nodes.push_back(w.productive.node);
    if (w.checkpoint.value > needs.checkpoint.value) needs.checkpoint = w.checkpoint;
  }
  return needs;
}

void ask_for_training(Context& c, storage::Demand& d) {
  const auto needs = training_needs(c);
  if (needs.tokens <= 0) return;
  const auto each = c.trace.input("storage.bytes_per_token", bytes_per_token(), "B");
  auto inputs = needs.nodes;
  inputs.push_back(each.node);
  d.dataset = c.trace.derive("storage.dataset", each.value * needs.tokens, "TB",
                             "tokens of the largest run x bytes of a token", inputs);
  d.loader =
      c.trace.derive("storage.loader", Bandwidth::from_si(each.value.si() * needs.tokens_per_s),
                     "GB/s", "tokens a second x bytes of a token", inputs);
  d.checkpoint = needs.checkpoint;
  d.accelerators =
      c.trace.derive("storage.writers", Scalar(needs.gpus), "GPU", "GPUs in training", needs.nodes);
}

void ask_for_serving(Context& c, storage::Demand& d) {
  Information all{}, largest{};
  for (const auto& w : c.work) {
    const catalog::Model* model = nullptr;
    if (w.spec->kind == WorkKind::serve) model = c.model(w.spec->serve.model);
    if (w.spec->kind == WorkKind::rag) model = c.model(w.spec->rag.llm.model);
    if (model == nullptr) continue;
    const Information weights = workload::weight_bytes(*model, workload::released_format(*model));
    all += weights;
    largest = std::max(largest, weights);
  }
  if (all.si() <= 0) return;
  d.models = c.trace.derive("storage.models", all, "GB",
                            "weights of all served models as published", std::vector<NodeId>{});
  d.weights = c.trace.derive("storage.weights", largest, "GB",
                             "weights of the largest served model", {d.models});
}

storage::Demand demand_of(Context& c) {
  storage::Demand d;
  d.scope = "site";
  d.nodes = total_nodes(c);
  return d;
}

}  // namespace

void look_at_storage(Context& c) {
  if (!c.scenario.storage) return;
  Trace scratch;
  const auto look = storage::assess(*c.scenario.storage, demand_of(c), c.catalog, scratch);
  if (look.write.node == no_node || look.write.value.si() <= 0) return;
  c.checkpoint_write = Value<Bandwidth>(
      look.write.value,
      std::make_shared<Source>(Source{"derived", "write rate of the tier that takes checkpoints",
                                      "", "", Trust::derived}));
}

void assess_storage(Context& c) {
  if (!c.scenario.storage) return;
  auto d = demand_of(c);
  ask_for_training(c, d);
  ask_for_serving(c, d);
  for (const auto& cluster : c.clusters) {
    if (!cluster.jobs.empty()) d.interval = cluster.jobs.front().interval;
  }
  c.storage = storage::assess(*c.scenario.storage, d, c.catalog, c.trace);
  c.add(c.storage.findings);
}

}  // namespace headroom::study
