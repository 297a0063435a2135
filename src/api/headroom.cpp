#include "api/headroom.hpp"

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "catalog/catalog.hpp"
#include "catalog/packed_data.hpp"
#include "spec/schema.hpp"
#include "study/check.hpp"
#include "study/replay_fleet.hpp"

namespace headroom::api {
Result<Catalogue> catalogue(const std::string& folder) {
  Catalogue out;
  if (folder.empty()) return out;
  Diagnostics diagnostics;
  out.own = catalog::Catalog::with_overlay(folder, diagnostics);
  if (!diagnostics.empty()) return failure(std::move(diagnostics));
  return out;
}

std::string version() { return "headroom " HEADROOM_VERSION; }

Result<study::Verdict> check(const Request& request) {
  auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) return failure(loaded.error());
  study::CheckOptions options;
  options.catalogue_ranges = request.ranges;
  options.overlay = request.catalog;
  options.progress = request.progress;
  return stoppable(
      [&]() -> Result<study::Verdict> { return study::check(*loaded, catalog->get(), options); });
}

Result<std::string> schema(const std::string& what) {
  if (what == "scenario") {
    study::Scenario scenario;
    return spec::json_schema(spec::object_ref(scenario), "headroom/scenario",
                             "A headroom scenario");
  }
  if (what == "fleet") {
    study::FleetSpec fleet;
    return spec::json_schema(spec::object_ref(fleet), "headroom/fleet",
                             "A fleet of headroom replay");
  }
  const auto object = catalog::prototype(what);
  if (object.object != nullptr) {
    return spec::json_schema(object, "headroom/catalog/" + what,
                             "A catalogue entry of kind " + what);
  }
  auto known = catalog::Catalog::kinds();
  known.emplace_back("scenario");
  known.emplace_back("fleet");
  return failure(
      {"", 0, 0, "", "there is no schema of '" + what + "'", did_you_mean(what, known), ""});
}

std::vector<Page> reference_pages() {
  std::vector<Page> pages;
  study::Scenario scenario;
  pages.push_back(
      {"scenario.md",
       spec::reference_page(spec::object_ref(scenario), "The scenario file",
                            "Every key of a scenario. Everything but what is marked required may "
                            "be left out; the last column says what then holds. Any number may be "
                            "a value with its unit, a range `{low: , likely: , high: }`, or one of "
                            "`uniform`, `triangular`, `normal`, `lognormal`.")});
  study::FleetSpec fleet;
  pages.push_back(
      {"fleet.md", spec::reference_page(spec::object_ref(fleet), "The fleet file",
                                        "Every key of the file that `headroom replay --fleet` "
                                        "reads. Everything but what is marked required may be left "
                                        "out; the last column says what then holds.")});
  for (const auto& kind : catalog::Catalog::kinds()) {
    pages.push_back({"catalog-" + kind + ".md",
                     spec::reference_page(catalog::prototype(kind), "Catalogue: " + kind,
                                          "Fields of a catalogue entry of kind `" + kind +
                                              "`. Every number names its source.")});
  }
  return pages;
}

}  // namespace headroom::api
