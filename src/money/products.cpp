#include <fmt/core.h>

#include "money/compare.hpp"

namespace headroom::money {
namespace {

class ProductCoster {
 public:
  ProductCoster(const Demand& demand, const Path& own, Trace& trace)
      : demand_(demand), own_(own), trace_(trace) {
    for (const auto& p : demand.products) held_ += p.gpus.value;
  }

  ProductCost cost(const Product& product) {
    ProductCost out;
    out.name = product.name;
    out.kind = product.kind;
    out.cost_rate = trace_.derive(
        id(product, "cost_rate"),
        own_.per_installed_gpu_hour.value * demand_.accelerators.value * product.gpus.value / held_,
        "USD/yr", "cost of an installed GPU-hour x accelerators x its share of the GPUs held",
        {own_.per_installed_gpu_hour, demand_.accelerators, product.gpus});
    if (product.kind == Product::Kind::serving) tokens(product, out);
    if (product.run_time.value.si() > 0) run(product, out);
    return out;
  }

  double held() const { return held_; }

 private:
  std::string id(const Product& p, const char* what) const {
    return fmt::format("money.product.{}.{}", p.name, what);
  }

  void tokens(const Product& p, ProductCost& out) {
    const double in_rate = p.input_rate.value.si();
    const double out_rate = p.output_rate.value.si();
    const double prefill = in_rate > 0 && p.prefill_share ? p.prefill_share.get().si() : 0.0;
    out.split_rule = p.prefill_share
                         ? fmt::format(
                               "input tokens carry the {:.0f} % of GPU time spent on "
                               "prefill, output tokens the rest",
                               prefill * 100)
                         : "output tokens carry everything: the share of prefill is not known";
    NodeId share = no_node;
    if (p.prefill_share) share = trace_.leaf(id(p, "prefill_share"), p.prefill_share, "%");
    if (in_rate > 0 && p.prefill_share) {
      out.per_input = trace_.derive(id(p, "per_input_token"),
                                    out.cost_rate.value * prefill / p.input_rate.value,
                                    "USD/Mtoken", "cost x prefill share / input tokens",
                                    {out.cost_rate, p.input_rate, share});
    }
    if (out_rate > 0) {
      out.per_output = trace_.derive(id(p, "per_output_token"),
                                     out.cost_rate.value * (1 - prefill) / p.output_rate.value,
                                     "USD/Mtoken", "cost x (1 - prefill share) / output tokens",
                                     {out.cost_rate, p.output_rate, share});
      out.per_output_all_in =
          trace_.derive(id(p, "per_output_token_all_in"), out.cost_rate.value / p.output_rate.value,
                        "USD/Mtoken", "whole cost / output tokens", {out.cost_rate, p.output_rate});
    }
    if (in_rate + out_rate > 0) {
      out.per_token = trace_.derive(
          id(p, "per_token"), out.cost_rate.value / (p.input_rate.value + p.output_rate.value),
          "USD/Mtoken", "whole cost / all tokens", {out.cost_rate, p.input_rate, p.output_rate});
    }
  }

  void run(const Product& p, ProductCost& out) {
    out.per_run = trace_.derive(
        id(p, "per_run"),
        own_.per_used_gpu_hour.value * static_cast<double>(p.gpus.value) * p.run_time.value, "USD",
        "cost of a used GPU-hour x GPUs x elapsed time of the run",
        {own_.per_used_gpu_hour, p.gpus, p.run_time});
    if (p.run_tokens.value.si() > 0) {
      out.per_token =
          trace_.derive(id(p, "per_token"), out.per_run->value / p.run_tokens.value, "USD/Mtoken",
                        "cost of the run / tokens", {*out.per_run, p.run_tokens});
    }
    out.split_rule =
        "a run carries the GPU-hours it holds, idle hours between runs included by "
        "the utilisation";
  }

  const Demand& demand_;
  const Path& own_;
  Trace& trace_;
  double held_ = 0;
};

}  // namespace

std::vector<ProductCost> cost_products(const Demand& demand, const Path& own, Trace& trace) {
  std::vector<ProductCost> out;
  ProductCoster coster(demand, own, trace);
  if (coster.held() <= 0) return out;
  for (const auto& p : demand.products) out.push_back(coster.cost(p));
  return out;
}

}  // namespace headroom::money
