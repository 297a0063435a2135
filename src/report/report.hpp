// A verdict in the forms people and programs read.
//
// `text` is the table for a terminal: the binding limit first, then every limit
// with its bar, remedies of what falls short, work, money, energy, carbon and
// water. Colour only when `colour` is set (a terminal without NO_COLOR).
// `json` has stable names, documented in docs/output.md; `csv` is the margins.
// `explain` is the derivation tree of one figure, down to sources.
#pragma once

#include <string>

#include "base/result.hpp"
#include "study/verdict.hpp"

namespace headroom::report {

struct TextOptions {
  bool colour = false;
  int width = 100;   ///< columns of the terminal; at least 60 are used
  bool all = false;  ///< every limit; otherwise those that hold by far are summed up
};

std::string text(const study::Verdict& verdict, const TextOptions& options);
std::string json(const study::Verdict& verdict);
std::string csv(const study::Verdict& verdict);

/// The tree below a trace id, a margin id (its need and its have) or a reported
/// line's key. An unknown id is a failure that names the nearest.
Result<std::string> explain(const study::Verdict& verdict, const std::string& id);

/// Diagnostics as JSON, for `--json` runs that end in bad input.
std::string json(const Diagnostics& diagnostics);

}  // namespace headroom::report
