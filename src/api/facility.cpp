#include "api/facility.hpp"

#include <fmt/format.h>

#include <cmath>

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "base/units.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

class Reader {
 public:
  explicit Reader(Diagnostics& mistakes) : mistakes_(mistakes) {}

  /// A quantity between `low` and `high` (SI); a bare number takes `unit`.
  template <class Q>
  void quantity(const char* option, const std::string& text, const char* unit, double low,
                double high, double& out) {
    if (text.empty()) return;
    const auto n = split_number(text);
    const std::string full = n && n->unit.empty() ? text + " " + unit : text;
    double si = 0;
    std::string message, hint;
    if (!spec::read_number(full, Q::dim, false, unit, si, message, hint))
      return fail(option, text, message, hint);
    if (si < low || si > high)
      return fail(option, text, "is out of range",
                  fmt::format("{} to {}", format(low, unit), format(high, unit)));
    out = si;
  }

 private:
  void fail(const char* option, const std::string& text, std::string message, std::string hint) {
    mistakes_.add(
        {fmt::format("{} {}", option, text), 0, 0, "", std::move(message), std::move(hint), ""});
  }
  Diagnostics& mistakes_;
};

}  // namespace

study::FacilityOptions facility_options(const FacilityRequest& r, Diagnostics& mistakes) {
  study::FacilityOptions o;
  o.progress = r.progress;
  o.year = r.year || (r.lose.empty() && !r.chain) || !r.resolution.empty();
  o.chain = r.chain, o.pairs = r.pairs;
  o.epw = r.epw;
  o.lose = r.lose;
  o.lose_together = r.lose_both;
  Reader reader(mistakes);
  double gap_s = 0;
  reader.quantity<Time>("--fill-gaps", r.fill_gaps, "h", 0, 7 * 86400, gap_s);
  o.fill_gap_h = static_cast<int>(std::floor(gap_s / 3600));
  reader.quantity<TemperatureDifference>("--warmer", r.warmer, "K", -20, 20, o.warmer_k);
  reader.quantity<Time>("--for", r.horizon, "s", 1, 86400, o.horizon_s);
  reader.quantity<Time>("--back", r.back, "s", 1, 86400, o.back_s);
  double m3_s = 0;
  reader.quantity<VolumeFlow>("--reclaimed", r.reclaimed, "m3/h", 0, 1e3, m3_s);
  o.reclaimed_kg_s = 1e3 * m3_s;
  o.carbon = r.carbon;
  reader.quantity<Scalar>("--cap", r.cap, "%", 0.1, 1, o.cap);
  reader.quantity<Time>("--resolution", r.resolution, "s", 1, 3600, o.resolution_s);
  if (r.lose.empty())
    for (const auto& [option, text] : {std::pair("--for", r.horizon), std::pair("--back", r.back)})
      if (!text.empty())
        mistakes.add({fmt::format("{} {}", option, text), 0, 0, "",
                      "describes a failure, and nothing is lost", "add --lose NODE", ""});
  if (r.pairs && !r.chain)
    mistakes.add({"--pairs", 0, 0, "", "is a part of --chain", "add --chain", ""});
  if (!r.lose_both.empty() && !r.chain)
    mistakes.add({"--lose-both " + r.lose_both.front(), 0, 0, "", "is a part of --chain",
                  "add --chain", ""});
  if (!r.fill_gaps.empty() && r.epw.empty())
    mistakes.add({"--fill-gaps " + r.fill_gaps, 0, 0, "",
                  "describes an EPW file, and there is none", "add --epw FILE", ""});
  return o;
}

Result<study::FacilityAnswer> facility(const FacilityRequest& request) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto options = facility_options(request, mistakes);
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) mistakes.add(loaded.error());
  if (!loaded) return failure(std::move(mistakes));
  if (!mistakes.empty()) {  // those of names and of the weather are told beside
    const auto more = study::facility_year(*loaded, catalog->get(), options);
    if (!more) mistakes.add(more.error());
    return failure(std::move(mistakes));
  }
  return stoppable([&] { return study::facility_year(*loaded, catalog->get(), options); });
}

Result<std::vector<study::FacilityPhase>> facility_phases(const FacilityRequest& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  return study::facility_phases(request.file, request.sets, catalog->get());
}

}  // namespace headroom::api
