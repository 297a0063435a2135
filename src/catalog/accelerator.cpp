#include "catalog/accelerator.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 4> class_names{"datacenter", "workstation", "edge",
                                                      "laptop"};
constexpr std::array<std::string_view, 2> quoted_names{"dense", "sparse"};

void expect_knots(spec::Fields& f, const char* key, const std::vector<Knot>& knots,
                  std::size_t count) {
  if (knots.size() == count) return;
  f.mistake(key, fmt::format("has {} knots; the model has {}", knots.size(), count),
            "tools/fit-kernels writes all curves of a fit together");
}

}  // namespace

std::span<const std::string_view> device_class_names() { return class_names; }

void PrecisionRate::fields(spec::Fields& f) {
  f.choice("precision", precision, precision_names(), "Number format of the inputs");
  f.number("dense", dense, "TFLOP/s", "Peak dense rate, two operations a multiply-add")
      .above(0)
      .required();
  f.choice("quoted", quoted, quoted_names,
           "Whether the maker's document prints this rate or twice of it for 2:4 sparsity");
}

void Knot::fields(spec::Fields& f) {
  f.shorthand("factor");
  f.number("factor", factor, "", "Factor at this knot").above(0).at_most(100).required();
}

void GemmFit::fields(spec::Fields& f) {
  f.choice("precision", precision, precision_names(), "Number format of the inputs");
  f.number("efficiency", efficiency, "%", "Share of peak that large products reach")
      .above(0)
      .at_most(120)
      .required();
  f.number("droop", droop, "%", "Efficiency lost per doubling of work above 0.1 TFLOP")
      .between(0, 10);
  f.number("tail", tail, "", "Weight of a part-filled wave of tiles").between(0, 5);
  f.number("half_depth", half_depth, "", "Depth k at which start-up doubles the time")
      .between(0, 10000);
  f.number("ragged", ragged, "%", "Share of padding to whole tiles that is paid").between(0, 100);
  f.number("bandwidth", bandwidth, "%", "Share of memory bandwidth that operands reach")
      .above(0)
      .at_most(130)
      .required();
  f.number("overlap", overlap, "%", "Share of the shorter of compute and traffic that shows")
      .between(0, 100);
  f.number("launch", launch, "us", "Floor of one call").at_least(0);
  f.number("cast_bandwidth", cast_bandwidth, "%",
           "Share of memory bandwidth that the pass which narrows activations reaches")
      .above(0)
      .at_most(200);
  f.number("cast_launch", cast_launch, "us", "Floor that this pass adds").at_least(0);
  f.number("whole_waves", whole_waves, "%", "Share of the last wave's idle units that is paid")
      .between(0, 100);
  f.number("split_depth", split_depth, "", "Depth k that adding up a split product costs")
      .between(0, 10000);
  f.list("tiles", tiles, "Cost of an element in each tile shape; given when fitted to a table");
  f.list("waves", waves, "Factor on compute by waves of tiles");
  f.list("depth", depth, "Factor on compute by k");
  f.list("work", work, "Factor on compute by m n k");
  f.list("columns", columns, "Factor on compute by n");
  f.list("rows", rows, "Factor on compute by m");
  f.list("traffic", traffic, "Factor on operand traffic by bytes");
  f.list("thin", thin, "Factor on operand traffic by m");
  f.number("median_error", median_error, "%", "Median error on held-out shapes").at_least(0);
  f.number("p90_error", p90_error, "%", "90th percentile of error on held-out shapes").at_least(0);
  if (!tiled()) return;
  using N = KnotCount;
  expect_knots(f, "tiles", tiles, N::tiles);
  expect_knots(f, "waves", waves, N::waves);
  expect_knots(f, "depth", depth, N::depth);
  expect_knots(f, "work", work, N::work);
  expect_knots(f, "columns", columns, N::columns);
  expect_knots(f, "rows", rows, N::rows);
  expect_knots(f, "traffic", traffic, N::traffic);
  expect_knots(f, "thin", thin, N::thin);
}

void AttentionFit::fields(spec::Fields& f) {
  f.choice("precision", precision, precision_names(), "Number format of queries and keys");
  f.number("rate_max", rate_max, "TFLOP/s", "Useful rate of long sequences at head size 128")
      .above(0)
      .required();
  f.number("half_length", half_length, "", "Keys per query at which the rate is half").at_least(0);
  f.number("wave_tail", wave_tail, "", "Weight of a part-filled wave of tiles").between(0, 5);
  f.number("launch", launch, "us", "Floor of one call").at_least(0);
  f.number("bandwidth", bandwidth, "%", "Share of memory bandwidth that operands reach")
      .above(0)
      .at_most(100);
  f.number("overlap", overlap, "%", "Share of the shorter of compute and traffic that shows")
      .between(0, 100);
  f.list("queries", queries, "Factor on compute by queries of a sequence");
  f.list("waves", waves, "Factor on compute by waves of tiles; given when fitted to a table");
  f.list("work", work, "Factor on compute by FLOPs");
  f.list("head", head, "Factor on compute by head size: 64, 128, 192, 256");
  f.number("backward", backward, "%", "Backward rate over forward rate in long sequences")
      .between(1, 150);
  f.number("backward_half", backward_half, "", "Keys at which that ratio is half").at_least(0);
  f.number("median_error", median_error, "%", "Median error on held-out shapes").at_least(0);
  f.number("p90_error", p90_error, "%", "90th percentile of error on held-out shapes").at_least(0);
  if (!tiled()) return;
  using N = KnotCount;
  expect_knots(f, "queries", queries, N::queries);
  expect_knots(f, "waves", waves, N::waves);
  expect_knots(f, "work", work, N::attention_work);
  expect_knots(f, "head", head, N::head);
}

void ScaleUp::fields(spec::Fields& f) {
  f.text("link", link, "Name of the link; empty when there is none");
  f.number("bandwidth", bandwidth, "GB/s", "Of one accelerator, per direction").at_least(0);
  f.integer("domain", domain, "Largest domain that the link forms, in accelerators").at_least(1);
}

void DevicePower::fields(spec::Fields& f) {
  f.number("max", max, "W", "Thermal design or board power").above(0).required();
  f.number("typical", typical, "W", "While training or serving at load").at_least(0);
  f.number("idle", idle, "W", "Powered, no work").at_least(0);
}

void DeviceCooling::fields(spec::Fields& f) {
  f.flag("air", air, "Sold with air cooling");
  f.flag("liquid", liquid, "Sold with cold plates");
  f.temperature("max_coolant", max_coolant, "Warmest liquid supply that the maker allows");
}

void Accelerator::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Who designs it");
  f.text("architecture", architecture, "Generation");
  f.choice("class", device_class, class_names, "Where it is meant to work");
  f.integer("year", year, "Year of general availability").between(2010, 2040);
  f.number("memory", memory, "GB", "Device memory").above(0).required();
  f.text("memory_kind", memory_kind, "HBM3, GDDR7, LPDDR5X, SRAM");
  f.number("memory_bandwidth", memory_bandwidth, "GB/s", "Data-sheet bandwidth of that memory")
      .above(0)
      .required();
  f.number("memory_usable", memory_usable, "%",
           "Share of memory left for weights, caches and activations")
      .above(0)
      .at_most(100);
  f.integer("compute_units", compute_units, "SMs, CUs or cores that tiles are dealt to")
      .at_least(0);
  f.list("rates", rates, "Peak dense rates by number format");
  f.list("gemm", gemm, "Fitted coefficients of the matrix-product model");
  f.list("attention", attention, "Fitted coefficients of the fused-attention model");
  f.number("gemm_efficiency", gemm_efficiency, "%",
           "Share of dense peak that large products reach where no fit is given")
      .above(0)
      .at_most(100);
  f.number("stream_efficiency", stream_efficiency, "%",
           "Share of memory bandwidth that long streaming kernels reach")
      .above(0)
      .at_most(100);
  f.number("decode_efficiency", decode_efficiency, "%",
           "Share of memory bandwidth that generation attention reaches")
      .above(0)
      .at_most(100);
  f.number("decode_launch", decode_launch, "us", "Floor of one generation-attention call")
      .at_least(0);
  f.number("launch", launch, "us", "Floor of one kernel launched from a graph").at_least(0);
  f.object("scale_up", scale_up, "Link to peers of the same scale-up domain");
  f.number("pcie", pcie, "GB/s", "Link to the host, per direction").at_least(0);
  f.object("power", power, "Power of the device or its board");
  f.object("cooling", cooling, "How its heat can be taken away");
  f.number("die_area", die_area, "mm2", "Logic dies of the package together").above(0);
  f.number("price", price, "USD", "Purchase price of one").at_least(0);
  f.number("embodied_carbon", embodied_carbon, "kgCO2e", "Cradle to gate, of one").at_least(0);
}

const PrecisionRate* Accelerator::rate(Precision precision) const {
  const auto it = std::find_if(rates.begin(), rates.end(),
                               [&](const auto& r) { return r.precision == precision; });
  return it == rates.end() ? nullptr : &*it;
}

double Accelerator::tpp() const {
  double best = 0;
  for (const auto& r : rates) {
    best = std::max(best, r.dense.get().in(teraflop_per_second)*element_bits(r.precision));
  }
  return best;
}

double Accelerator::performance_density() const {
  constexpr double square_millimetre = 1e-6;  // m2
  if (!die_area) return 0;
  return tpp() / (die_area.get().si() / square_millimetre);
}

}  // namespace headroom::catalog
