#include "storage/move_in.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace headroom::storage {
namespace {

void cost(const MoveIn& move, const Figure<Information>& size, const catalog::Catalog& catalog,
          Trace& trace, const std::string& prefix, Storage& out) {
  const auto* from = catalog.find<catalog::StorageSystem>(move.from);
  Value<InformationPrice> egress = move.egress;
  if (!egress && from) egress = from->egress;
  if (!egress) return;
  const auto price = trace.input(prefix + "egress-price", egress, "USD/GB");
  out.move_in_cost = trace.derive(prefix + "move-cost", size.value * price.value, "USD",
                                  "bytes x egress price", {size, price});
  BillLine line;
  line.id = prefix + "move-in";
  line.category = "storage";
  line.item = fmt::format("egress of {}{}", format_scaled(size.value.si(), "B"),
                          from ? " from " + from->name : "");
  line.count = 1;
  line.unit_price = out.move_in_cost.value;
  line.price_low = size.value.si() * egress.low;
  line.price_high = size.value.si() * egress.high;
  line.price_node = out.move_in_cost;
  out.findings.bill.add(std::move(line));
}

}  // namespace

void move_in(const MoveIn& move, const Figure<Information>& dataset,
             const catalog::Catalog& catalog, Trace& trace, const std::string& prefix,
             Storage& out) {
  const auto size = move.bytes ? trace.input(prefix + "move-bytes", move.bytes, "TB") : dataset;
  if (!move.link || move.link.get().si() <= 0 || size.value.si() <= 0) return;
  const auto link = trace.input(prefix + "move-link", move.link, "Gb/s");
  const Value<Scalar> usual(0.8, assumed("long copies over a well-tuned link"));
  const auto share = trace.input_or(prefix + "move-efficiency", move.efficiency, usual, "%");
  out.move_in = trace.derive(prefix + "move-time", size.value / (share.value.si() * link.value),
                             "d", "bytes / (link x efficiency)", {size, link, share});
  cost(move, size, catalog, trace, prefix, out);
  if (!move.within) return;
  const auto allowed = trace.input(prefix + "move-within", move.within, "d");
  const std::string scope = prefix.substr(8, prefix.size() - 9);  // of "storage.<scope>."
  Margin m = make_margin(prefix + "move-in", "data moved in, " + scope, out.move_in, allowed, "d");
  m.why = fmt::format("{} over {} at {:.0f} % takes {}.", format_scaled(size.value.si(), "B"),
                      format(link.value, "Gb/s"), 100 * share.value.si(),
                      format(out.move_in.value, "d"));
  if (m.headroom() < 0.1) {
    const Bandwidth wider = size.value / (share.value.si() * allowed.value);
    m.remedies.push_back(
        {fmt::format("use a link of {}", format(wider, "Gb/s")), {}, {}, "bytes / time allowed"});
    m.remedies.push_back({"ship drives", {}, {}, ""});
  }
  out.findings.margins.push_back(std::move(m));
}

}  // namespace headroom::storage
