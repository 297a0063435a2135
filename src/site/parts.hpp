// What assess.cpp is made of. Internal to site.
#pragma once

#include <string>

#include "site/assess.hpp"

namespace headroom::site {

/// Everything a part may look at, and where it writes.
struct Context {
  const Spec& spec;
  const Demand& demand;
  const catalog::Catalog& catalog;
  const catalog::Region* region;
  Trace& trace;
  std::string prefix;  ///< "site." or "site.<scope>."
};

void assess_schedule(const Context& c, Result& result);
void assess_latency(const Context& c, Result& result);
void assess_export(const Context& c, Result& result);
void assess_residency(const Context& c, Result& result);
void assess_environment(const Context& c, Result& result);

/// "site.<scope>.a" names with what stands before it.
inline std::string id_of(const Context& c, std::string_view rest) {
  return c.prefix + std::string(rest);
}
/// Lower-case kebab of a name, for ids.
std::string kebab(std::string_view name);
/// Whether a rule read until `review_by` still speaks on `as_of`.
bool is_current(const std::string& review_by, const std::string& as_of);

}  // namespace headroom::site
