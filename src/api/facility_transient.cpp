#include "api/facility_transient.hpp"

#include <fmt/format.h>

#include <cmath>

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "base/units.hpp"

namespace headroom::api {
namespace {

Diagnostic mistake(const char* option, const std::string& text, const char* message,
                   const char* hint) {
  return {fmt::format("{} {}", option, text), 0, 0, "", message, hint, ""};
}

study::TransientOptions options_of(const TransientRequest& r, Diagnostics& mistakes) {
  study::TransientOptions o;
  o.sags = r.sags;
  o.progress = r.progress;
  if (!r.sample.empty()) {
    const auto n = split_number(r.sample);
    const auto unit = n ? parse_unit(n->unit.empty() ? "ms" : n->unit) : std::nullopt;
    if (!n || !unit || !(unit->dim == Time::dim))
      mistakes.add(mistake("--sample", r.sample, "is no time", "1 to 10 ms, e.g. 5ms"));
    else if (n->number * unit->factor < 0.999e-3 || n->number * unit->factor > 10.001e-3)
      mistakes.add(mistake("--sample", r.sample, "is out of range", "1 to 10 ms"));
    else
      o.sample_s = n->number * unit->factor;
  }
  if (!r.seed.empty()) {
    const auto n = split_number(r.seed);
    if (!n || !n->unit.empty() || n->number < 0 || n->number != std::floor(n->number) ||
        n->number > 4294967295.0)
      mistakes.add(mistake("--seed", r.seed, "is no seed", "a whole number, 0 to 4294967295"));
    else
      o.seed = static_cast<std::uint64_t>(n->number);
  }
  std::vector<power::Sag> read;
  for (const auto& text : r.sags)
    if (const auto wrong = power::read_sags(text, read))
      mistakes.add(mistake("--sag", text, wrong->c_str(), ""));
  return o;
}

}  // namespace

Result<study::TransientAnswer> facility_transient(const TransientRequest& request) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto options = options_of(request, mistakes);
  const auto loaded = study::load(request.file, request.sets, catalog->get());
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return stoppable([&] { return study::facility_transient(*loaded, catalog->get(), options); });
}

}  // namespace headroom::api
