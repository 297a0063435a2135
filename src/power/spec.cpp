#include "power/spec.hpp"

namespace headroom::power {
namespace {

void redundancy_field(spec::Fields& f, Redundancy& r, std::string_view key, std::string_view doc) {
  f.choice(key, r, catalog::redundancy_names(), doc);
}

constexpr std::string_view gear_doc = "Catalogue entry for losses and price; default the usual one";

}  // namespace

void GridSpec::fields(spec::Fields& f) {
  f.number("capacity", capacity, "MW", "Import agreed with the utility; no limit when left out")
      .at_least(0);
  f.bank("feeds", feeds, "MW", "Lines into the site, each as rated").at_least(0);
  redundancy_field(f, redundancy, "redundancy", "Feeds that may be lost; auto means N");
}

void GearSpec::fields(spec::Fields& f) {
  f.bank("units", units, "kW", "Units as rated; no limit when left out").at_least(0);
  redundancy_field(f, redundancy, "redundancy", "Units that may be lost; auto means N");
  f.reference("gear", gear, "power-gear", gear_doc);
}

void GeneratorSpec::fields(spec::Fields& f) {
  f.bank("units", units, "kW", "Standby sets as rated; none when left out").at_least(0);
  redundancy_field(f, redundancy, "redundancy", "Sets that may fail; auto means N");
  f.reference("gear", gear, "power-gear", gear_doc);
  f.number("derating", derating, "%", "Rating left at the site's height and heat; default 100 %")
      .between(1, 100);
  f.number("tank", tank, "m3", "Fuel on site; no limit when left out").at_least(0);
  f.number("runtime", runtime, "h", "How long the fuel must last; default 24 h").above(0);
}

void UpsSpec::fields(spec::Fields& f) {
  f.bank("modules", modules, "kW", "Modules as rated; no limit when left out").at_least(0);
  redundancy_field(f, redundancy, "redundancy",
                   "Modules that may be lost; auto means N, none means no UPS");
  f.reference("gear", gear, "power-gear", gear_doc);
  f.number("autonomy", autonomy, "min", "Battery time at the bank's full rating").above(0);
  f.number("mechanical", mechanical, "%", "Share of cooling power fed by the UPS; default 0 %")
      .between(0, 100);
}

void Spec::fields(spec::Fields& f) {
  f.object("grid", grid, "Connection to the utility");
  f.object("transformer", transformer, "Transformers between the meter and the UPS");
  f.object("generator", generator, "Standby generation");
  f.object("ups", ups, "Uninterruptible supply of the IT load");
  f.number("power_factor", power_factor, "",
           "Real over apparent power of transformers and generators rated in kVA; default 1. UPS "
           "modules are taken at unity")
      .between(0.5, 1);
  f.number("other", other, "kW", "Lights, offices, security; default 1 % of the IT maximum")
      .at_least(0);
  f.object("transient", transient,
           "Swings of the load within seconds, what smooths them, and sags of the grid");
  f.flag("itemised", itemised, "Put this gear on the bill instead of a price a kW of building");
  f.list(
      "nodes", nodes,
      "The chain node by node, for `facility --chain`; drawn from the banks above when left out");
}

void FeedSpec::fields(spec::Fields& f) {
  f.bank("feed", feed, "kW", "Feeds of a rack, each by what it may carry continuously").at_least(0);
  redundancy_field(f, feed_redundancy, "feed_redundancy",
                   "Feeds that may be lost; auto means 2N for an even number, N otherwise");
  f.number("breaker", breaker, "A", "Breaker of each feed").above(0);
  f.number("voltage", voltage, "V", "Line to line for three phases, to neutral for one").above(0);
  f.integer("phases", phases, "Phases of a feed").between(1, 3);
  f.number("continuous", continuous, "%",
           "Share of the breaker that a continuous load may use; default 80 % (NEC 210.20(A))")
      .between(1, 100);
}

Redundancy feed_redundancy(const FeedSpec& feed) {
  if (feed.feed_redundancy != Redundancy::by_count) return feed.feed_redundancy;
  return feed.feed.count >= 2 && feed.feed.count % 2 == 0 ? Redundancy::two_n : Redundancy::n;
}

}  // namespace headroom::power
