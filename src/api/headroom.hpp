// The facade: what the command line, the server, Python and the page see.
//
//   auto verdict = headroom::api::check({.file = "scenarios/llama3-405b.yaml"});
//   if (!verdict) show(verdict.error());
//   else if (!verdict->fits) explain(*verdict->binding());
//
// Nothing here prints, exits or throws on input. All functions are thread-safe:
// the built-in catalogue is shared and read-only, a request owns the rest.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "report/report.hpp"
#include "study/verdict.hpp"

namespace headroom::api {

/// "headroom 0.1.0"
std::string version();

struct Request {
  std::string file;               ///< scenario; "-" is standard input
  std::vector<std::string> sets;  ///< "path=value", applied in order
  bool ranges = false;            ///< try the catalogue's ranges behind the binding limit
  std::string catalog;            ///< folder laid over the built-in catalogue; may be empty
  Progress* progress =
      nullptr;  ///< who watches; when it asks to stop, the failure `is_stop` (stoppable.hpp)
};

/// Every limit of a scenario, money, energy, carbon, water and their derivation.
Result<study::Verdict> check(const Request& request);

/// Catalogue kinds; the entries of a kind; one entry with the source of every number.
Result<std::string> list_catalog(const std::string& catalog, const std::string& kind,
                                 const std::string& id, bool as_json);

/// JSON Schema of a scenario (`what` = "scenario") or of a catalogue kind.
Result<std::string> schema(const std::string& what);

/// Generated reference pages: name (without folder) and text of each.
struct Page {
  std::string name;
  std::string text;
};
std::vector<Page> reference_pages();

enum class ClaimsForm { text, json, markdown };
struct ClaimsAnswer {
  std::string text;
  bool as_expected = false;  ///< every verdict is the one data/claims.yaml expects
};
/// The ledger of published claims, derived by the engine.
Result<ClaimsAnswer> claims(ClaimsForm form, const std::string& only_id);

}  // namespace headroom::api
