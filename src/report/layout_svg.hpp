// A hall's plan as a drawing.
//
//   report::layout_svg(answer)     one SVG, hall under hall
//
// Racks are coloured by power (weights with `by_weight`), five steps with a legend; free positions
// are dashed; the way in is a line from the door to the heaviest rack. Colours change with the
// reader's light or dark scheme (CSS prefers-color-scheme). A label is written only where it has
// room: no text overlaps another. Metres, drawn to scale; well-formed XML whatever names hold.
#pragma once

#include <string>
#include <string_view>

#include "study/facility_layout.hpp"

namespace headroom::report {

std::string layout_svg(const study::LayoutAnswer& answer, bool by_weight = false);

/// &, <, >, " and ' as entities; control characters, which XML has not, as spaces.
std::string xml_text(std::string_view text);

}  // namespace headroom::report
