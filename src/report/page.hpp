// The web page, one self-contained HTML file: no script, style, font or picture from elsewhere.
//
// Built from web/ (`make web`) and linked in. It shows a report when data stands in its element
// `headroom-data`, and asks its server (`headroom ui`) when `null` stands there.
#pragma once

#include <string>
#include <string_view>

namespace headroom::report {

/// The page as built, with `null` as its data.
std::string_view page();

/// The page with a JSON document as its data. `<` is escaped, so no text in it can end the element.
/// O(page + document).
std::string page_with(std::string_view json);

}  // namespace headroom::report
