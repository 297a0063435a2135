// The `sources` map that heads a catalogue file or a scenario:
//
//   sources:
//     paper: {title: "The Llama 3 Herd of Models, Table 4", url: "https://...", date: 2024-07}
//
// after which `17.3 kW @paper` names where the number comes from.
#pragma once

#include <map>
#include <string>

#include "spec/reader.hpp"

namespace headroom::spec {

/// Reads the map; mistakes go to `diagnostics` at their place.
std::map<std::string, SourcePtr> read_sources(const Node& sources, const ReadContext& context,
                                              Diagnostics& diagnostics);

}  // namespace headroom::spec
