// What a report shows beside the verbs' answers: where the money goes and when, what the network is
// built of, who uses the power, and what uncertain inputs do to cost and headroom.
//
//   auto f = study::report_figures(loaded, catalog);
//   f.ways[0].months[12][0]          // USD in month 12 for accelerators
//
// Nothing is reckoned here: the scenario is walked as `check` walks it, and the layers' own results
// are kept. Money: money/assess.hpp. Network: fabric/design.hpp. Inputs: sensitivity.hpp.
//
// Complexity: a check, and two for each uncertain input (some thirty: 0.2 s). Deterministic,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "study/check.hpp"
#include "study/scenario.hpp"
#include "study/sensitivity.hpp"

namespace headroom::study {

/// An item of cost; `id` is its place in the trace of `check`.
struct CostItem {
  std::string cause, label;
  double usd = 0;      ///< once, or a year
  bool grows = false;  ///< with the escalation
  std::string id;
};

/// One way to own or rent.
struct CostWay {
  std::string key, label;
  std::vector<CostItem> capital;    ///< on the first day
  std::vector<CostItem> operating;  ///< first year
  std::vector<std::string> dates;   ///< of the months
  /// Paid (negative: comes back), by month and by cause in the order of `causes`.
  std::vector<std::vector<double>> months;
  std::vector<double> share;  ///< of the present cost, by cause
  double present_usd = 0;
  double per_installed_gpu_hour = 0, per_used_gpu_hour = 0;  ///< USD
  double rent = 0;                                           ///< USD a GPU-hour; 0: none
  std::string price_id, price_as_of, break_even;
  std::optional<double> irr, mirr;
  /// USD per installed GPU-hour over owning, by cause.
  std::vector<double> over_own;
};

/// What the cash flow of owning is made from; rates a year, times in months.
struct CostTerms {
  std::string start;
  int months = 0;
  double discount = 0, escalation = 0, utilisation = 0, accelerators = 0;
  double economic_life = 0, facility_life = 0, tax_life = 0;
  std::optional<double> residual, tax;
  std::vector<std::pair<double, double>> resale;  ///< age in months, share of the price
};

/// A use of the GPUs and what it costs, owned.
struct CostProduct {
  std::string name, kind;
  double gpus = 0;          ///< held
  double usd_per_year = 0;  ///< its share of the levelised cost of all GPUs
  struct Price {
    std::string label, unit, id;
    double si = 0;
  };
  std::vector<Price> prices;  ///< per token, per run
  double input_share = 0;     ///< of its cost that input tokens carry
  std::string split_rule;
};

/// Switches and links of one network.
struct FabricTier {
  std::string key, label;
  double switches = 0, links_down = 0;  ///< links towards the tier below
};
struct FabricNetwork {
  std::string title, use;  ///< "compute", "storage"
  std::vector<FabricTier> tiers;
  double endpoints = 0, most_endpoints = 0, bisection = 1;
  int hops = 0;
};
struct FabricFigures {
  std::string cluster, kind, system, switch_name;
  double systems = 0, gpus = 0, racks = 0, per_rack = 0, rails = 0, planes = 1;
  double gpus_a_domain = 1;            ///< scale-up
  double scale_up = 0, scale_out = 0;  ///< B/s a GPU and direction
  std::vector<FabricNetwork> networks;
  double cables = 0, plugs = 0, power_w = 0, capital_usd = 0, latency_s = 0, oversubscription = 1;
  std::string capital_id, power_id;
};

/// Mean power of IT by who draws it.
struct PowerShare {
  std::string cluster, cluster_id;  ///< empty: storage
  double it_w = 0, network_w = 0;
  struct Use {
    std::string name;
    double share = 0;  ///< of the cluster's GPUs held
    std::string token_unit, token_id;
    double joule_per_token = 0;  ///< at the meter; 0: makes none
  };
  std::vector<Use> uses;
};

struct ReportFigures {
  std::string currency = "USD";
  std::vector<std::string> causes;
  std::vector<CostWay> ways;  ///< own first; empty: no money is asked
  CostTerms terms;
  std::vector<CostProduct> products;
  std::vector<std::string> unpriced;
  std::vector<FabricFigures> fabrics;
  std::vector<PowerShare> power;
  double it_w = 0, meter_w = 0;                          ///< yearly means
  std::vector<std::string> target_labels, target_units;  ///< of `swings.ids`
  InputSwings swings;  ///< empty without `CheckOptions::sensitivities`
  Verdict verdict;     ///< owns the trace that ids point into
};

ReportFigures report_figures(const Loaded& loaded, const catalog::Catalog& catalog,
                             const CheckOptions& options = {});

}  // namespace headroom::study
