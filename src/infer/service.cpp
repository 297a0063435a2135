#include "infer/service.hpp"

#include <algorithm>
#include <cmath>

#include "infer/queue.hpp"
#include "infer/service_study.hpp"

namespace headroom::infer {

namespace {

double seconds(const Value<Time>& v) { return v ? v.get().si() : 0; }

}  // namespace

ServiceStudy::ServiceStudy(const ServiceSpec& spec, const ServiceDemand& demand, Trace& trace)
    : spec(spec), demand(demand), book(trace, demand.scope) {}

bool ServiceStudy::complete_input() {
  auto& remarks = r.findings.remarks;
  if (!demand.model) remarks.push_back(demand.scope + ": no model, so serving was not computed");
  if (!demand.hardware.accelerator) {
    remarks.push_back(demand.scope + ": no accelerator, so serving was not computed");
  }
  traffic = complete(spec.traffic, demand.trace);
  if (!traffic.rate) remarks.push_back(demand.scope + ": no request rate, so no fleet was sized");
  return remarks.empty();
}

void ServiceStudy::record_inputs() {
  rate = book.input("rate", traffic.rate, "request/s");
  peak = book.input("peak-rate", traffic.peak, "request/s");
  input = book.input("input-tokens", traffic.input.mean, "token");
  output = book.input("output-tokens", traffic.output.mean, "token");
  const auto share = book.input("prefix-share", traffic.prefix_share, "%");
  percentile = book.input("percentile",
                          spec.slo.percentile.or_else(Value<Scalar>(
                              0.99, assumed("99 of 100 requests, when the scenario says nothing"))),
                          "%");
  ceiling = book.input(
      "utilisation-ceiling",
      spec.utilisation.or_else(Value<Scalar>(
          0.85, assumed("15 % held back at the peak for preemption, uneven routing and drift"))),
      "%");
  model_node = book.choice("model", demand.model->id);
  device_node = book.choice("accelerator", demand.hardware.accelerator->id);
  load = service_load(traffic);
  r.limits = engine_limits(spec.engine, *demand.hardware.accelerator);
  targets = {seconds(spec.slo.ttft), seconds(spec.slo.tpot), seconds(spec.slo.e2e),
             std::clamp(percentile.value.si(), 0.5, 0.9999)};
  reached = targets;
  shape_nodes = {input, output, share, model_node, device_node, percentile};
}

std::vector<Layout> ServiceStudy::layouts(const Layout& formats) const {
  constexpr int most_gpus_of_replica = 1024;
  return feasible_layouts(*demand.model, *demand.hardware.accelerator, demand.hardware.path,
                          formats, spec.engine, r.limits, most_gpus_of_replica);
}

Search ServiceStudy::search(const Layout& formats) const {
  return search_layouts(*demand.model, *demand.hardware.accelerator, demand.hardware.path,
                        layouts(formats), demand.engine, r.limits, load, targets, peak.value.si(),
                        ceiling.value, spare());
}

bool ServiceStudy::choose() {
  const Layout formats = service_formats(spec);
  const Search found = search(formats);
  if (!found.best) {
    r.layout = formats;
    const int domain = static_cast<int>(std::max(demand.hardware.path.domain, 1.0));
    r.layout.tp = spec.engine.tp > 0 ? spec.engine.tp : domain;
    r.layout.pp = std::max(spec.engine.pp, 1);
    return false;
  }
  choice = *found.best;
  r.layout = choice.layout;
  r.feasible = choice.capacity.feasible;
  if (!r.feasible) nearest();
  replica.emplace(*demand.model,
                  StepModel(*demand.model, *demand.hardware.accelerator, demand.hardware.path,
                            r.layout, demand.engine),
                  r.limits);
  return true;
}

void ServiceStudy::nearest() {
  // Every target that one request alone misses is put at 1.25 times what it takes alone.
  constexpr double room = 1.25;
  const OperatingPoint alone = choice.capacity.at;
  auto relax = [&](double& target, Time best) {
    if (target > 0 && best.si() > target) target = room * best.si();
  };
  const Targets asked = targets;
  relax(targets.ttft_s, alone.ttft_p);
  relax(targets.tpot_s, alone.tpot_p);
  relax(targets.e2e_s, alone.e2e_p);
  const Binding first = choice.capacity.binding;
  const auto again = search_layouts(*demand.model, *demand.hardware.accelerator,
                                    demand.hardware.path, {choice.layout}, demand.engine, r.limits,
                                    load, targets, peak.value.si(), ceiling.value, spare());
  if (again.best && again.best->capacity.feasible) choice = *again.best;
  r.findings.remarks.push_back(demand.scope + ": no layout meets the " + binding_name(first) +
                               " asked, even for one request alone; the fleet shown allows 25 % "
                               "over what one request takes");
  reached = targets;
  targets = asked;
}

void ServiceStudy::deploy() {
  const double each = choice.capacity.at.rate_s;
  const double needed = std::max(choice.replicas, 1.0 + spare());
  double deployed = needed;
  if (demand.hardware.gpus) {
    deployed = std::clamp(std::floor(demand.hardware.gpus->value.si() / r.layout.gpus() + 1e-9),
                          0.0, needed);
  }
  auto layout_node = book.choice(
      "layout", "TP " + std::to_string(r.layout.tp) + " x PP " + std::to_string(r.layout.pp));
  auto nodes = shape_nodes;
  nodes.push_back(layout_node);
  r.gpus_per_replica =
      book.derive("gpus-per-replica", Scalar(r.layout.gpus()), "GPU",
                  "TP x PP, the layout that serves the peak with fewest GPUs", {layout_node});
  replica_rate =
      book.derive("replica-rate", Rate::from_si(choice.capacity.feasible ? each : 0), "request/s",
                  "highest rate at which one replica meets every SLO", nodes);
  r.replicas_needed = book.derive("replicas-needed", Scalar(needed), "",
                                  "ceil(peak rate / (replica rate x ceiling)) + spare",
                                  {peak, replica_rate, ceiling});
  r.gpus_needed =
      book.derive("gpus-needed", Scalar(needed * r.layout.gpus()), "GPU",
                  "replicas needed x GPUs of a replica", {r.replicas_needed, r.gpus_per_replica});
  std::vector<NodeId> from{r.replicas_needed};
  if (demand.hardware.gpus) from.push_back(demand.hardware.gpus->node);
  r.replicas = book.derive("replicas", Scalar(deployed), "",
                           "replicas needed, or as many as the GPUs had allow", from);
  r.gpus = book.derive("gpus", Scalar(deployed * r.layout.gpus()), "GPU",
                       "replicas x GPUs of a replica", {r.replicas, r.gpus_per_replica});
  r.capacity = book.derive("capacity", Rate::from_si(replica_rate.value.si() * deployed),
                           "request/s", "replicas x replica rate", {r.replicas, replica_rate});
}

void ServiceStudy::operate() {
  const double n = std::max(r.replicas.value.si(), 1.0);
  Load l = load;
  l.rate_s = peak.value.si() / n;
  r.peak = replica->operate(l, targets.percentile);
  l.rate_s = rate.value.si() / n;
  r.mean = replica->operate(l, targets.percentile);
}

Time ServiceStudy::peak_ttft() const {
  if (r.peak.stable && r.peak.ttft_p.si() < overloaded / 2) return r.peak.ttft_p;
  const double n = std::max(r.replicas.value.si(), 1.0);
  const double served = std::max(r.peak.saturation_s * n, 1e-12);
  const double longest = 86400;
  const double backlog = std::max(peak.value.si() / served - 1, 0.0) * peak_duration_s;
  return std::min(backlog, longest) * second + replica
                                                   ->operate(
                                                       [&] {
                                                         Load l = load;
                                                         l.rate_s = 0.5 * r.peak.saturation_s;
                                                         return l;
                                                       }(),
                                                       targets.percentile)
                                                   .ttft_p;
}

void ServiceStudy::figures() {
  const auto at_peak =
      std::vector<NodeId>{peak, r.replicas, input, output, model_node, device_node};
  r.rate = rate;
  r.rate_peak = peak;
  r.ttft = book.derive("ttft", peak_ttft(), "ms",
                       "rest of the running step + wait for prefill and for a slot + own chunks",
                       at_peak);
  r.tpot =
      book.derive("tpot", r.peak.tpot_p, "ms",
                  "decode step / (1 - share of time spent on prompts), at the percentile", at_peak);
  const double answer =
      std::max(lognormal_quantile(load.output, load.output_cv, targets.percentile), load.output);
  const Time first = r.peak.stable ? r.peak.ttft : r.ttft.value;
  r.e2e = book.derive("e2e", first + std::max(answer - 1, 0.0) * r.peak.tpot, "s",
                      "mean TTFT + (answer length at the percentile - 1) x mean TPOT",
                      {r.ttft, r.tpot, output, percentile});
  const double had = r.capacity.value.si();
  auto load_over = [&](double rate_s) { return had > 0 ? std::min(rate_s / had, 1e6) : 1e6; };
  r.utilisation = book.derive("utilisation", Scalar(load_over(rate.value.si())), "%",
                              "mean rate / capacity", {rate, r.capacity});
  r.utilisation_peak = book.derive("utilisation-peak", Scalar(load_over(peak.value.si())), "%",
                                   "peak rate / capacity", {peak, r.capacity});
  const double n = r.replicas.value.si();
  const double served = n > 0 ? std::min(rate.value.si(), r.mean.saturation_s * n) : 0;
  const auto served_rate =
      book.derive("served-rate", Rate::from_si(served), "request/s",
                  "mean rate, or what the fleet can finish", {rate, r.replicas});
  r.input_rate = book.derive("input-rate", TokenRate::from_si(served * load.input), "token/s",
                             "served rate x prompt tokens", {served_rate, input});
  r.output_rate = book.derive("output-rate", TokenRate::from_si(served * load.output), "token/s",
                              "served rate x answer tokens", {served_rate, output});
  r.output_capacity = book.derive("output-capacity", TokenRate::from_si(had * load.output),
                                  "token/s", "capacity x answer tokens", {r.capacity, output});
  r.input_per_year = book.derive("input-per-year", r.input_rate.value * (1 * year), "token",
                                 "input rate x 8,760 h", {r.input_rate});
  r.output_per_year = book.derive("output-per-year", r.output_rate.value * (1 * year), "token",
                                  "output rate x 8,760 h", {r.output_rate});
}

void ServiceStudy::power() {
  const auto& device = *demand.hardware.accelerator;
  const bool works = r.replicas.value.si() > 0;
  const double prefill = works ? r.mean.prefill_share : 0;
  const double busy = works ? r.mean.busy : 0;
  r.busy = book.derive("busy", Scalar(busy), "%",
                       "1 - chance that a replica has no request, from sequences running",
                       {rate, r.replicas});
  const auto most = book.input("gpu-max-power",
                               device.power.max.or_else(Value<Power>(
                                   Power{}, assumed("the catalogue knows no maximum power"))),
                               "W");
  const auto each = book.derive("gpu-mean-power", gpu_power(device, prefill, busy - prefill), "W",
                                "maximum while reading prompts, 65 % of it while decoding "
                                "(assumed), idle for the rest",
                                {most, r.busy});
  r.power_fraction =
      book.derive("power-fraction", most.value.si() > 0 ? each.value / most.value : Scalar(0.0),
                  "%", "mean power / maximum power of a GPU", {each, most});
  r.accelerator_power = book.derive("accelerator-power", each.value * r.gpus.value.si(), "kW",
                                    "mean power of a GPU x GPUs", {each, r.gpus});
}

void ServiceStudy::plan() {
  Plan p;
  p.id = book.id("serving");
  p.layer = "infer";
  const auto count = [](double v) { return amount(v, "", 6); };
  p.summary = count(r.replicas_needed.value.si()) + " replicas of " + demand.model->id + " in " +
              std::string(name(r.layout.weights)) + ", TP " + std::to_string(r.layout.tp) +
              (r.layout.pp > 1 ? " x PP " + std::to_string(r.layout.pp) : std::string()) + " on " +
              demand.hardware.accelerator->id + ": " + count(r.gpus_needed.value.si()) + " GPUs";
  p.items = {{"engine", std::string(engine_name(demand.engine))},
             {"tp", std::to_string(r.layout.tp)},
             {"pp", std::to_string(r.layout.pp)},
             {"precision", std::string(name(r.layout.weights))},
             {"kv-precision", std::string(name(r.layout.kv))},
             {"replicas", count(r.replicas_needed.value.si())},
             {"gpus", count(r.gpus_needed.value.si())},
             {"bound-by", binding_name(choice.capacity.binding)},
             {"sequences-at-peak", amount(r.peak.batch, "", 3)},
             {"kv-sequences", amount(std::min(r.peak.kv_cap, 1e9), "", 3)},
             {"command", vllm_command(spec, *demand.model, r.layout, r.limits)}};
  r.findings.plans.push_back(std::move(p));
}

ServiceResult assess(const ServiceSpec& spec, const ServiceDemand& demand, Trace& trace) {
  ServiceStudy study(spec, demand, trace);
  if (!study.complete_input()) return std::move(study.r);
  study.record_inputs();
  study.context_limit();
  const bool fits = study.choose();
  study.memory_limit();
  if (!fits) {
    study.layout_limit();
    return std::move(study.r);
  }
  study.deploy();
  study.operate();
  study.figures();
  study.power();
  study.plan();
  study.validity();
  study.time_limits();
  study.fleet_limits();
  study.kv_limit();
  return std::move(study.r);
}

}  // namespace headroom::infer
