#include "api/facility_supply.hpp"

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"

namespace headroom::api {

Result<study::SupplyAnswer> facility_supply(const FacilityRequest& request) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto options = facility_options(request, mistakes);
  const auto refuse = [&](bool given, const char* option) {
    if (given)
      mistakes.add({option, 0, 0, "", "is not a question of supply", "leave one of them out", ""});
  };
  refuse(!request.lose.empty(), "--lose");
  refuse(request.chain, "--chain");
  refuse(!request.resolution.empty(), "--resolution");
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return stoppable([&] { return study::facility_supply(*loaded, catalog->get(), options); });
}

}  // namespace headroom::api
