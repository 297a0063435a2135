#include "api/facility_availability.hpp"

#include <cmath>

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "base/units.hpp"

namespace headroom::api {
namespace {

Diagnostic mistake(std::string where, std::string message, std::string hint) {
  return {std::move(where), 0, 0, "", std::move(message), std::move(hint), ""};
}

int histories_of(const std::string& text, Diagnostics& mistakes) {
  if (text.empty()) return 0;
  const auto n = split_number(text);
  constexpr double least = 10, most = 1e7;
  if (n && n->unit.empty() && n->number >= least && n->number <= most &&
      n->number == std::floor(n->number))
    return int(n->number);
  mistakes.add(mistake("--histories " + text, "is no number of histories", "10 to 10000000"));
  return 0;
}

}  // namespace

Result<study::AvailabilityAnswer> facility_availability(const FacilityRequest& request,
                                                        const std::string& histories, int threads) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  study::AvailabilityOptions o;
  o.epw = request.epw;
  o.threads = threads;
  o.progress = request.progress;
  o.histories = histories_of(histories, mistakes);
  const auto refuse = [&](bool given, const char* option) {
    if (given)
      mistakes.add(mistake(option, "is not a question of availability", "leave one of them out"));
  };
  refuse(!request.lose.empty(), "--lose");
  refuse(request.year, "--year");
  refuse(!request.horizon.empty(), "--for");
  refuse(!request.back.empty(), "--back");
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return stoppable([&] { return study::facility_availability(*loaded, catalog->get(), o); });
}

}  // namespace headroom::api
