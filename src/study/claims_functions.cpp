// What expressions may ask of workload, infer, fabric, cluster, money and site.
#include "study/claims_functions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/accelerator.hpp"
#include "catalog/failure_rate.hpp"
#include "catalog/finance.hpp"
#include "catalog/model.hpp"
#include "catalog/region.hpp"
#include "catalog/system.hpp"
#include "cluster/goodput.hpp"
#include "fabric/collective.hpp"
#include "fabric/topology.hpp"
#include "infer/step.hpp"
#include "money/finance_math.hpp"
#include "site/assess.hpp"
#include "study/claims.hpp"
#include "workload/generation.hpp"
#include "workload/training_memory.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {
namespace {

using catalog::Accelerator;
using catalog::Model;
using catalog::Region;

Precision precision_of(const Call& c, const std::string& fallback) {
  const std::string text = c.text_or("precision", fallback);
  const auto precision = parse_precision(text);
  if (!precision) Call::fail("there is no precision '" + text + "'");
  return *precision;
}

template <class Enum>
Enum named(const std::string& text, std::string_view (*name)(Enum), int count) {
  for (int i = 0; i < count; ++i) {
    if (name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  Call::fail("there is no '" + text + "' to choose");
}

workload::ParameterState state_of(const Call& c) {
  return workload::parameter_state(
      named(c.text_or("optimiser", "adam"), workload::optimiser_name, 7),
      named(c.text_or("precision", "bf16"), workload::training_precision_name, 6));
}

long whole(const Call& c, std::string_view name, long fallback) {
  return std::lround(c.get_or(name, Scalar(static_cast<double>(fallback))).si());
}

fabric::Counts counts_of(const Call& c) {
  fabric::Request r;
  r.kind = fabric::Kind::fat_tree;
  r.nodes = std::max(1L, whole(c, "endpoints", 1));
  r.rails = 1;
  r.radix = whole(c, "radix", 64);
  r.taper = c.get_or("taper", Scalar(1.0));
  r.tiers = static_cast<int>(whole(c, "tiers", 0));
  return fabric::count(r);
}

Length distance(const Call& c) {
  const Region &a = c.entry<Region>("from"), &b = c.entry<Region>("to");
  return site::great_circle(a.latitude.get(), a.longitude.get(), b.latitude.get(),
                            b.longitude.get());
}

/// 1 when the site's export margin for these chips fails, else 0.
Amount licence_needed(const Call& c) {
  const auto& a = c.entry<Accelerator>("accelerator");
  site::Spec spec;
  spec.region = c.entry<Region>("region").id;
  spec.export_control.owner_country = c.text_or("owner", "");
  Trace trace;
  const auto src = published("3A090 note 2");
  site::Demand demand;
  demand.chips = {{a.id, a.name, 1, trace.constant("tpp", Scalar(a.tpp()), "1", src),
                   trace.constant("density", Scalar(a.performance_density()), "1", src)}};
  const auto result = site::assess(spec, demand, c.catalog(), trace);
  const auto& margins = result.findings.margins;
  return std::any_of(margins.begin(), margins.end(), [](const Margin& m) { return !m.holds(); })
             ? 1.0
             : 0.0;
}

/// Time per token of one replica, weights in one accelerator.
Amount decode_rate(const Call& c) {
  const auto& model = c.entry<Model>("model");
  const auto& device = c.entry<Accelerator>("accelerator");
  infer::Layout layout;
  layout.weights = precision_of(c, "bf16");
  const infer::StepModel step(model, device, fabric::Path{}, layout, infer::Engine::llama_cpp);
  const double batch = c.get_or("batch", Scalar(1.0));
  const Time t = step.decode(batch, c.get_or("context", Scalar(1024.0)));
  if (t <= Time{}) Call::fail("the model does not run on it");
  return batch * token / t;
}

Time mtbf_of_job(const Call& c) {
  const auto& p = c.entry<catalog::FailurePopulation>("population");
  const double gpus = c.get<Scalar>("gpus");
  if (gpus <= 0) Call::fail("no GPUs");
  return p.gpu_time_between() / gpus;
}

/// An hour of an owned eight-GPU node: capital recovery, upkeep, colocation, power, people;
/// all but price, term, rate and residual from the catalogue's defaults.
Amount owned_node_hour(const Call& c) {
  const auto* node = c.catalog().find<catalog::System>("dgx-h100");
  const auto* region = c.catalog().find<Region>("us-virginia");
  const auto* finance = c.catalog().find<catalog::Finance>("default");
  if (node == nullptr || region == nullptr || finance == nullptr)
    Call::fail("catalogue incomplete");
  const Money price = c.get<Money>("price");
  const double months = std::round(c.get<Time>("term").in(month));
  if (months < 1) Call::fail("the term is below a month");
  const double recovery = money::capital_recovery(
      price.in(dollar), (price * double(c.get<Scalar>("residual"))).in(dollar),
      money::monthly_rate(c.get<Scalar>("rate")), static_cast<int>(months));
  const Power power = node->power.max.get();
  const MoneyRate space = finance->colo.get() * power;
  const MoneyRate energy =
      region->electricity.get() * (node->power.typical.get() * double(finance->colo_pue.get()));
  const MoneyRate upkeep = price * double(finance->it_maintenance.get()) / (1.0 * year);
  const double people =
      (finance->hardware_people_per_1000.get() + finance->platform_people_per_1000.get()) *
      node->accelerators / 1000;
  return recovery * dollar / (1.0 * month) + space + energy + upkeep +
         finance->person.get() * people;
}

/// Time one accelerator takes for the model's published clip.
Amount video_time(const Call& c) {
  const auto* rate = c.entry<Accelerator>("accelerator").rate(Precision::bf16);
  const double mfu = c.get<Scalar>("mfu");
  if (rate == nullptr || mfu <= 0) Call::fail("no BF16 rate");
  return workload::clip_flops(c.entry<Model>("model")) / (rate->dense.get() * mfu);
}

Amount monthly_payment(const Call& c) {
  const double months = std::round(c.get<Time>("term").in(month));
  if (months < 1) Call::fail("the term is below a month");
  const double usd = money::capital_recovery(
      c.get<Money>("principal").in(dollar), c.get_or("residual", Money{}).in(dollar),
      money::monthly_rate(c.get_or("rate", Scalar(0.0))), static_cast<int>(months));
  return usd * dollar / (1.0 * month);
}

}  // namespace

void add_model_functions(Functions& f) {
  f["tpp"] = {[](const Call& c) { return Amount(c.entry<Accelerator>("accelerator").tpp()); },
              {"accelerator"},
              "1",
              "total processing performance (ECCN 3A090)"};
  f["performance_density"] = {
      [](const Call& c) {
        return Amount(c.entry<Accelerator>("accelerator").performance_density());
      },
      {"accelerator"},
      "1",
      "TPP per mm2 of logic die"};
  f["parameters"] = {
      [](const Call& c) { return Amount(workload::parameters(c.entry<Model>("model")).total()); },
      {"model"},
      "1",
      "parameters of the shape"};
  f["active_parameters"] = {
      [](const Call& c) {
        return Amount(workload::active_parameters(c.entry<Model>("model")).total());
      },
      {"model"},
      "1",
      "parameters a token passes"};
  f["weight_bytes"] = {[](const Call& c) {
                         workload::WeightFormat format;
                         format.precision = precision_of(c, "bf16");
                         return Amount(workload::weight_bytes(c.entry<Model>("model"), format));
                       },
                       {"model", "precision"},
                       "GB",
                       "bytes of all weights"};
  f["kv_bytes"] = {
      [](const Call& c) {
        return Amount(workload::kv_bytes(c.entry<Model>("model"), c.get<Scalar>("context"),
                                         precision_of(c, "bf16")));
      },
      {"model", "context", "precision"},
      "GB",
      "KV cache of one sequence"};
  f["prefill_flops"] = {
      [](const Call& c) {
        return Amount(workload::prefill_flops(c.entry<Model>("model"), c.get<Scalar>("tokens")));
      },
      {"model", "tokens"},
      "TFLOP",
      "forward work of a prompt"};
  f["training_flops"] = {[](const Call& c) {
                           const auto per_token = workload::training_flops(
                               c.entry<Model>("model"), c.get_or("sequence", Scalar(4096.0)),
                               workload::AttentionCount::causal);
                           return Amount(per_token.total() * c.get<Tokens>("tokens"));
                         },
                         {"model", "tokens", "sequence"},
                         "ZFLOP",
                         "model FLOPs of a training run"};
  f["checkpoint_bytes"] = {[](const Call& c) { return Amount(state_of(c).checkpoint()); },
                           {"optimiser", "precision"},
                           "B",
                           "of one parameter, resumable"};
  f["state_bytes"] = {[](const Call& c) { return Amount(state_of(c).total()); },
                      {"optimiser", "precision"},
                      "B",
                      "of one parameter while training"};
  f["weight_state_bytes"] = {[](const Call& c) { return Amount(state_of(c).weight); },
                             {"optimiser", "precision"},
                             "B",
                             "of one parameter's compute copy"};
  f["decode_rate"] = {decode_rate,
                      {"model", "accelerator", "precision", "batch", "context"},
                      "token/s",
                      "generation of one replica on one accelerator"};
  f["video_time"] = {video_time, {"model", "accelerator", "mfu"}, "s", "GPU time of a clip"};
  f["speculative_speedup"] = {
      [](const Call& c) {
        return Amount(infer::speculative_speedup(c.get<Scalar>("acceptance"),
                                                 static_cast<int>(whole(c, "length", 4)),
                                                 c.get<Scalar>("draft_cost")));
      },
      {"acceptance", "length", "draft_cost"},
      "1",
      "generation rate over plain decoding"};
}

void add_fabric_functions(Functions& f) {
  const std::vector<std::string> arguments{"endpoints", "radix", "taper", "tiers"};
  f["tree_tiers"] = {[](const Call& c) { return Amount(static_cast<double>(counts_of(c).tiers)); },
                     arguments, "1", "switch tiers of a fat tree"};
  f["tree_ports"] = {[](const Call& c) {
                       const auto k = counts_of(c);
                       return Amount(static_cast<double>(k.host_links + 2 * k.switch_links()) /
                                     std::max(1.0, double(c.get<Scalar>("endpoints"))));
                     },
                     arguments, "1", "switch ports an endpoint"};
  f["tree_switches"] = {
      [](const Call& c) { return Amount(static_cast<double>(counts_of(c).switches())); }, arguments,
      "1", "switches of a fat tree"};
  f["tree_most"] = {[](const Call& c) { return Amount(static_cast<double>(counts_of(c).most)); },
                    arguments, "1", "endpoints that it can carry"};
  f["tree_bisection"] = {[](const Call& c) { return Amount(counts_of(c).bisection); }, arguments,
                         "1", "share of injection bandwidth across the worst even cut"};
  f["all_reduce_traffic"] = {[](const Call& c) {
                               return Amount(fabric::traffic_factor(fabric::Collective::all_reduce,
                                                                    c.get<Scalar>("ranks")));
                             },
                             {"ranks"},
                             "1",
                             "bytes on a link per byte of buffer"};
}

void add_work_functions(Functions& f) {
  f["young_interval"] = {
      [](const Call& c) {
        return Amount(cluster::young_interval(c.get<Time>("write"), c.get<Time>("mtbf")));
      },
      {"write", "mtbf"},
      "min",
      "best checkpoint interval, first order"};
  f["ettr"] = {[](const Call& c) {
                 cluster::Cycle k;
                 k.interval = c.get<Time>("interval");
                 k.write = c.get_or("write", Time{});
                 k.mtbf = c.get<Time>("mtbf");
                 k.detection = c.get_or("detection", Time{});
                 k.restart = c.get_or("restart", Time{});
                 return Amount(cluster::ettr(k));
               },
               {"interval", "write", "mtbf", "detection", "restart"},
               "%",
               "productive share of elapsed time"};
  f["job_mtbf"] = {[](const Call& c) { return Amount(mtbf_of_job(c)); },
                   {"population", "gpus"},
                   "h",
                   "time between failures of a job"};
  f["monthly_payment"] = {
      monthly_payment, {"principal", "residual", "rate", "term"}, "USD/mo", "capital recovery"};
  f["owned_node_hour"] = {owned_node_hour,
                          {"price", "term", "rate", "residual"},
                          "USD/h",
                          "an owned 8-GPU node, all in"};
  f["distance"] = {[](const Call& c) { return Amount(distance(c)); },
                   {"from", "to"},
                   "km",
                   "great circle between two regions"};
  f["rtt"] = {[](const Call& c) {
                return Amount(site::fibre_rtt(distance(c), c.get_or("inflation", Scalar(1.0))));
              },
              {"from", "to", "inflation"},
              "ms",
              "round trip over fibre"};
  f["licence_needed"] = {licence_needed,
                         {"accelerator", "region", "owner"},
                         "1",
                         "1 when US export rules ask for a licence"};
}

const Functions& layer_functions() {
  static const Functions all = [] {
    Functions f;
    add_model_functions(f);
    add_fabric_functions(f);
    add_work_functions(f);
    add_facility_functions(f);
    return f;
  }();
  return all;
}

}  // namespace headroom::study
