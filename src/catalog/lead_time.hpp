// LeadTime: how long a thing takes from order to delivery, or a piece of work
// from start to finish. A range, because it is one; dated, because it moves.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// Where in a project the thing is needed.
enum class Phase : unsigned char {
  permit,      ///< design, permits: before the building can start
  grid,        ///< the connection itself
  building,    ///< shell and core
  electrical,  ///< bought, then fitted into the shell
  mechanical,  ///< bought, then fitted into the shell
  fit_out,     ///< installation work
  commission,  ///< tests under load
  equipment,   ///< servers, network, storage: delivered into a live hall
  install,     ///< racking, cabling, burn-in
  on_site,     ///< own generation that stands in for the grid
};

struct LeadTime : Entry {
  static constexpr std::string_view kind = "lead-time";

  Value<Time> time;
  Phase phase = Phase::equipment;
  bool new_build = false;  ///< every new building orders it
  std::string category;    ///< category of bill lines it stands for when they name no time
  std::string as_of;       ///< date of the survey

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
