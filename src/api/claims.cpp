#include <nlohmann/json.hpp>

#include <algorithm>

#include "api/headroom.hpp"
#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "catalog/packed_data.hpp"
#include "report/table.hpp"
#include "study/claims.hpp"

namespace headroom::api {
namespace {

using Json = nlohmann::ordered_json;
using study::CheckResult;
using study::ClaimResult;

std::string verdict_text(const ClaimResult& r) {
  std::string out(study::claim_verdict_name(r.verdict));
  if (!r.agrees)
    out += " (ledger: " + std::string(study::claim_verdict_name(r.claim->ledger)) + ")";
  return out;
}

std::string table_text(const std::vector<ClaimResult>& results) {
  report::Table table({{"id"},
                       {"layer"},
                       {"claim", report::Align::left, 58},
                       {"claimed", report::Align::right, 24},
                       {"derived", report::Align::right, 24},
                       {"verdict"}});
  std::size_t agreeing = 0;
  for (const auto& r : results) {
    if (r.agrees) ++agreeing;
    bool first = true;
    for (const auto& check : r.checks) {
      table.add({first ? r.claim->id : "", first ? r.claim->layer : "",
                 first ? r.claim->claim : "  " + check.check->what, check.claimed_text,
                 check.derived_text, first ? verdict_text(r) : ""});
      first = false;
    }
    if (r.checks.empty()) {
      table.add({r.claim->id, r.claim->layer, r.claim->claim, "", "", verdict_text(r)});
    }
  }
  return table.str("") + "\n" + std::to_string(results.size()) + " claims, " +
         std::to_string(agreeing) +
         " verdicts agree with the ledger; `headroom claims ID` shows the working\n";
}

std::string looked_value(const study::Looked& looked) {
  return format(looked.value.si, looked.unit);
}

std::string looked_source(const study::Looked& looked) {
  return looked.origin.source ? "  [" + describe(*looked.origin.source) + "]" : std::string();
}

std::string check_text(const CheckResult& c) {
  std::string out;
  if (!c.check->what.empty()) out += c.check->what + "\n";
  if (!c.claimed_text.empty()) out += "  claimed   " + c.claimed_text + "\n";
  out += "  derived   " + c.derived_text + "  = " + c.check->derive + "\n";
  if (!c.against_text.empty()) out += "  against   " + c.against_text + "\n";
  if (!c.error.empty()) out += "  error     " + c.error + "\n";
  for (const auto& looked : c.looked) {
    out += "    " + looked.text + " = " + looked_value(looked) + looked_source(looked) + "\n";
  }
  if (!c.check->inputs.empty()) out += "    inputs: " + c.check->inputs + "\n";
  return out + "  verdict   " + std::string(study::claim_verdict_name(c.verdict)) + "\n";
}

std::string working_text(const ClaimResult& r) {
  std::string out = r.claim->id + " (" + r.claim->layer + "): " + r.claim->claim + "\n\n";
  for (const auto& check : r.checks) out += check_text(check) + "\n";
  out += "verdict: " + verdict_text(r) + "\n";
  for (const auto* text :
       {&r.claim->missing, &r.claim->caveat, &r.claim->because, &r.claim->dispute}) {
    if (!text->empty()) out += report::wrap(*text, 100, "");
  }
  return out;
}

Json check_json(const CheckResult& c) {
  Json looked = Json::array();
  for (const auto& l : c.looked)
    looked.push_back({{"what", l.text}, {"value", looked_value(l)}, {"source", looked_source(l)}});
  return {{"what", c.check->what},     {"claimed", c.claimed_text},
          {"derive", c.check->derive}, {"derived", c.derived_text},
          {"against", c.against_text}, {"verdict", study::claim_verdict_name(c.verdict)},
          {"ratio", c.ratio},          {"looked", looked},
          {"error", c.error}};
}

std::string json_text(const std::vector<ClaimResult>& results) {
  Json out = Json::array();
  for (const auto& r : results) {
    Json checks = Json::array();
    for (const auto& c : r.checks) checks.push_back(check_json(c));
    out.push_back({{"id", r.claim->id},
                   {"layer", r.claim->layer},
                   {"claim", r.claim->claim},
                   {"verdict", study::claim_verdict_name(r.verdict)},
                   {"ledger", study::claim_verdict_name(r.claim->ledger)},
                   {"agrees", r.agrees},
                   {"expected", r.expected},
                   {"because", r.claim->because},
                   {"dispute", r.claim->dispute},
                   {"checks", checks}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render_claims(const std::vector<ClaimResult>& results, ClaimsForm form, bool one) {
  switch (form) {
    case ClaimsForm::json:
      return json_text(results);
    case ClaimsForm::markdown:
      return study::claims_markdown(results);
    case ClaimsForm::text:
      break;
  }
  return one ? working_text(results.front()) : table_text(results);
}

}  // namespace

Result<ClaimsAnswer> claims(ClaimsForm form, const std::string& only_id) {
  Diagnostics diagnostics;
  const auto& catalog = catalog::Catalog::builtin();
  const auto ledger =
      study::read_ledger(catalog::packed_document("claims.yaml"), diagnostics, "data/claims.yaml");
  if (!diagnostics.empty()) return failure(std::move(diagnostics));
  std::vector<ClaimResult> results;
  if (only_id.empty()) {
    results = study::evaluate_claims(ledger, catalog);
  } else if (const auto* claim = ledger.find(only_id)) {
    results.push_back(study::evaluate_claim(*claim, ledger, catalog));
  } else {
    std::vector<std::string> ids;
    for (const auto& c : ledger.claims) ids.push_back(c.id);
    return failure({"", 0, 0, "", "the ledger has no claim '" + only_id + "'",
                    did_you_mean(only_id, ids), ""});
  }
  const bool expected =
      std::all_of(results.begin(), results.end(), [](const auto& r) { return r.expected; });
  return ClaimsAnswer{render_claims(results, form, !only_id.empty()), expected};
}

}  // namespace headroom::api
