#include "workload/lexical.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace headroom::workload {
namespace {

constexpr double handling_s = 3e-4;  // parsing, merging, reply: core time of a query (assumed)
constexpr double server_low_s = 0.5e-3, server_s = 5e-3, server_high_s = 7e-3;
constexpr double scoring_range = 3;  // either way

SourcePtr source() {
  static const SourcePtr s = [] {
    Source made;
    made.title =
        "Ding and Suel 2011, GOV2, as quoted by pg_textsearch; VectorDBBench full-text run of "
        "Elasticsearch, MS MARCO";
    made.date = "2026-06";
    made.trust = Trust::derived;
    return std::make_shared<Source>(made);
  }();
  return s;
}

double scoring_s(const LexicalIndex& index, double documents) {
  return std::max(index.terms, 0.0) * std::max(documents, 0.0) * postings_share /
         postings_per_core_s;
}

Value<Time> spread(double fixed_low, double fixed, double fixed_high, double scoring) {
  return {(fixed_low + scoring / scoring_range) * second, (fixed + scoring) * second,
          (fixed_high + scoring * scoring_range) * second, source()};
}

}  // namespace

Information lexical_bytes(const LexicalIndex& index, double documents, Tokens document) {
  return std::max(documents, 0.0) * document.si() * index.bytes_per_token * byte;
}

Value<Time> lexical_core_time(const LexicalIndex& index, double documents) {
  return spread(handling_s, handling_s, handling_s, scoring_s(index, documents));
}

Value<Time> lexical_latency(const LexicalIndex& index, double documents) {
  const double scoring = scoring_s(index, documents);
  return spread(server_low_s + handling_s, server_s + handling_s, server_high_s + handling_s,
                scoring);
}

}  // namespace headroom::workload
