#include "api/facility_layout.hpp"

#include "api/catalogue.hpp"

namespace headroom::api {

Result<study::LayoutAnswer> facility_layout(const FacilityRequest& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) return failure(loaded.error());
  return study::facility_layout(*loaded, catalog->get());
}

Result<study::GanttAnswer> facility_gantt(const FacilityRequest& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  return study::facility_gantt(request.file, request.sets, catalog->get());
}

}  // namespace headroom::api
