#include "site/assess.hpp"

#include <cctype>

#include "site/parts.hpp"

namespace headroom::site {

std::string kebab(std::string_view name) {
  std::string out;
  for (char ch : name) {
    const auto u = static_cast<unsigned char>(ch);
    if (std::isalnum(u))
      out += static_cast<char>(std::tolower(u));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace,
              std::string_view scope) {
  Result result;
  if (!spec.region.empty()) result.region = catalog.find<catalog::Region>(spec.region);
  const Context c{spec,    demand,
                  catalog, result.region,
                  trace,   scope.empty() ? "site." : "site." + std::string(scope) + "."};
  if (result.region != nullptr) {
    trace.choice(id_of(c, "region"), result.region->name, result.region->origin);
  } else {
    result.findings.remarks.emplace_back(
        "site: no region was given; price, carbon, law and latency of the place were not asked");
  }
  assess_schedule(c, result);
  assess_residency(c, result);
  assess_export(c, result);
  assess_latency(c, result);
  assess_environment(c, result);
  return result;
}

}  // namespace headroom::site
