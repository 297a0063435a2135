#include "infer/embed.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/step.hpp"

namespace headroom::infer {

namespace {
constexpr double full_batch = 8192;  // tokens of a batch that no longer gains from growing
}

TokenRate embedding_rate(const catalog::Model& model, const catalog::Accelerator& accelerator,
                         Precision precision, double passage) {
  Layout layout;
  layout.weights = precision;
  const StepModel step(model, accelerator, fabric::Path{}, layout);
  const double keys = model.bidirectional ? passage : passage / 2;
  const double t = step.step({0, 0, full_batch, keys}).si();
  return TokenRate::from_si(t > 0 ? embedding_share * full_batch / t : 0);
}

namespace {

void limits(const EmbedSpec& spec, const EmbedDemand& demand, const Book& book,
            const Figure<Tokens>& corpus, const Figure<TokenRate>& steady,
            const Figure<TokenRate>& have, EmbedResult& r) {
  if (spec.within && corpus.value.si() > 0 && demand.hardware.gpus) {
    auto m = make_margin(book.id("corpus"), "GPUs for embedding, " + demand.scope, r.gpus_needed,
                         *demand.hardware.gpus, "GPU")
                 .because(format(corpus.value, "Mtoken") + " at " +
                          format(r.rate_per_gpu.value, "token/s") + " a GPU are " +
                          amount(r.gpu_hours.value.si(), "GPU-hours") + ".");
    if (m.headroom() < 0.1) {
      m.remedies.push_back({"allow " + format(r.corpus_time.value, "h") + " instead", {}, {}, {}});
    }
    r.findings.margins.push_back(std::move(m));
  }
  if (steady.value.si() > 0 && demand.hardware.gpus) {
    r.findings.margins.push_back(make_margin(
        book.id("queries"), "queries to embed, " + demand.scope, steady, have, "token/s"));
  }
}

}  // namespace

EmbedResult assess(const EmbedSpec& spec, const EmbedDemand& demand, Trace& trace) {
  EmbedResult r;
  if (!demand.model || !demand.hardware.accelerator) {
    r.findings.remarks.push_back(demand.scope +
                                 ": no model or accelerator, embedding not computed");
    return r;
  }
  Book book(trace, demand.scope);
  const auto& device = *demand.hardware.accelerator;
  const NodeId model_node = book.choice("model", demand.model->id);
  const NodeId device_node = book.choice("accelerator", device.id);
  const auto query = book.input(
      "query-tokens",
      spec.query.or_else(Value<Tokens>(512 * token, assumed("passages of 512 tokens"))), "token");
  const auto corpus = book.input(
      "corpus", spec.corpus.or_else(Value<Tokens>(Tokens{}, assumed("no corpus given"))), "token");
  const auto online = book.input(
      "queries", spec.rate.or_else(Value<Rate>(Rate{}, assumed("no queries given"))), "request/s");
  const Precision precision = spec.precision.or_else(Precision::bf16);
  r.rate_per_gpu = book.derive(
      "rate-per-gpu", embedding_rate(*demand.model, device, precision, query.value.si()), "token/s",
      "8,192 tokens / step of the oracle x 0.80", {model_node, device_node, query});
  const double rate = std::max(r.rate_per_gpu.value.si(), 1e-9);
  const auto steady =
      book.derive("query-rate", TokenRate::from_si(online.value.si() * query.value.si()), "token/s",
                  "queries x tokens of a query", {online, query});
  // Work for the corpus in the time allowed comes on top of the queries.
  const double allowed_s = spec.within ? spec.within.get().si() : 0;
  const double wanted = steady.value.si() + (allowed_s > 0 ? corpus.value.si() / allowed_s : 0);
  std::vector<NodeId> from{steady, corpus, r.rate_per_gpu};
  if (spec.within) from.push_back(book.input("within", spec.within, "h"));
  r.gpus_needed =
      book.derive("gpus-needed", Scalar(std::max(1.0, std::ceil(wanted / rate - 1e-9))), "GPU",
                  "ceil((queries + corpus / time allowed) / rate of a GPU)", from);
  const double had = demand.hardware.gpus ? std::max(demand.hardware.gpus->value.si(), 0.0)
                                          : r.gpus_needed.value.si();
  const double left = std::max(had * rate - steady.value.si(), 0.0);
  constexpr double never_s = 100 * 365 * 86400.0;
  const double time_s = left > 0 ? std::min(corpus.value.si() / left, never_s)
                                 : (corpus.value.si() > 0 ? never_s : 0);
  r.corpus_time =
      book.derive("corpus-time", time_s * second, "h", "corpus / what queries leave of the GPUs",
                  {corpus, r.rate_per_gpu, steady});
  r.gpu_hours = book.derive("gpu-hours", Scalar(corpus.value.si() / rate / 3600), "",
                            "corpus / rate of a GPU, in GPU-hours", {corpus, r.rate_per_gpu});
  r.query_time = book.derive("query-time", query.value / r.rate_per_gpu.value, "ms",
                             "tokens of a query / rate of a GPU", {query, r.rate_per_gpu});
  r.corpus_energy =
      book.derive("corpus-energy", gpu_power(device, 1, 0) * (corpus.value.si() / rate * second),
                  "kWh", "GPU-hours x maximum power", {r.gpu_hours, device_node});
  const auto have = book.derive("rate", r.rate_per_gpu.value * had, "token/s",
                                "rate of a GPU x GPUs", {r.rate_per_gpu});
  limits(spec, demand, book, corpus, steady, have, r);
  return r;
}

}  // namespace headroom::infer
