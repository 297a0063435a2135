#include "study/claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.hpp"
#include "spec/reader.hpp"

namespace headroom::study {
namespace {

constexpr std::array<std::string_view, 6> verdict_names{"yes",          "partly",       "no",
                                                        "inconsistent", "unverifiable", "broken"};
constexpr std::array<std::string_view, 4> relation_names{"about", "at_least", "at_most", "is_true"};

/// Off by more than this factor, a claim is wrong and not merely rough. Ours: it runs where
/// the ledger's people drew the line, between 1.63 (partly) and 1.67 (no).
constexpr double rough_factor = 1.65;

struct Spread {
  Interval value;
  std::vector<Looked> looked;
  std::string error;
};

Spread evaluate_spread(std::string_view text, const Scope& scope) {
  Spread out;
  const std::size_t to = text.find(" to ");
  Evaluation low = evaluate(text.substr(0, to), scope);
  Evaluation high = to == std::string_view::npos ? low : evaluate(text.substr(to + 4), scope);
  out.error = low ? high.error : low.error;
  out.value = {low.value, high.value};
  out.looked = std::move(low.looked);
  if (to != std::string_view::npos) {
    out.looked.insert(out.looked.end(), high.looked.begin(), high.looked.end());
  }
  if (out.error.empty() && low.value.dim != high.value.dim) {
    out.error = fmt::format("a range from {} to {}", dimension_name(low.value.dim),
                            dimension_name(high.value.dim));
  }
  if (out.error.empty() && low.value.si > high.value.si) std::swap(out.value.low, out.value.high);
  return out;
}

/// The unit of a claimed figure: that of its last literal.
std::string unit_in(std::string_view claimed) {
  const std::size_t to = claimed.rfind(" to ");
  const auto number = split_number(to == std::string_view::npos ? claimed : claimed.substr(to + 4));
  if (!number || !parse_unit(number->unit)) return {};
  return std::string(number->unit);
}

std::string shown(const Interval& v, std::string unit) {
  auto parsed = parse_unit(unit);
  if (!parsed || parsed->dim != v.low.dim) return fmt::format("{:.4g} SI", v.low.si);
  if (unit == "USD" && v.high.si >= 1e6) {
    parsed->factor = v.high.si >= 1e9 ? 1e9 : 1e6;
    const std::string words = v.high.si >= 1e9 ? " billion USD" : " million USD";
    std::string high = format_number(v.high.si / parsed->factor) + words;
    return v.low.si == v.high.si ? high : format_number(v.low.si / parsed->factor) + " to " + high;
  }
  std::string high = format(v.high.si, unit);
  if (v.low.si == v.high.si) return high;
  return format_number(v.low.si / parsed->factor) + " to " + high;
}

/// A range that is widened by a share of itself, outwards.
struct Bounds {
  double low, high;
};
Bounds widened(const Interval& v, double tolerance) {
  return {v.low.si - tolerance * std::abs(v.low.si), v.high.si + tolerance * std::abs(v.high.si)};
}

bool overlap(const Bounds& a, const Bounds& b) { return a.low <= b.high && b.low <= a.high; }

/// How far two ranges that do not meet are apart, as a factor of at least 1.
double factor_apart(const Bounds& a, const Bounds& b) {
  const double lower = a.high < b.low ? a.high : b.high;
  const double upper = a.high < b.low ? b.low : a.low;
  return lower > 0 ? upper / lower : HUGE_VAL;
}

ClaimVerdict rough(bool exact, double factor) {
  return !exact && factor <= rough_factor ? ClaimVerdict::partly : ClaimVerdict::no;
}

ClaimVerdict judge_about(const ClaimCheck& c, const Interval& claimed, const Interval& derived) {
  const Bounds wide = widened(claimed, c.tolerance.get());
  const Bounds d{derived.low.si, derived.high.si};
  const bool inside = d.low >= wide.low && d.high <= wide.high;
  const bool covers = claimed.low.si >= d.low && claimed.high.si <= d.high;
  if (inside || (covers && !c.exact)) return ClaimVerdict::yes;
  if (overlap(wide, d)) return c.exact ? ClaimVerdict::no : ClaimVerdict::partly;
  return rough(c.exact, factor_apart({claimed.low.si, claimed.high.si}, d));
}

/// `reached`: all of the derived range lies on the right side; `touched`: some of it.
ClaimVerdict judge_side(const ClaimCheck& c, double worst, double best, double bound, bool least) {
  const double t = c.tolerance.get();
  const auto on_side = [&](double x, double slack) {
    return least ? x >= bound * (1 - slack) : x <= bound * (1 + slack);
  };
  if (on_side(worst, t)) return ClaimVerdict::yes;
  if (on_side(best, t)) return c.exact ? ClaimVerdict::no : ClaimVerdict::partly;
  const double factor = least ? bound / best : best / bound;
  return rough(c.exact, best > 0 && bound > 0 ? factor : HUGE_VAL);
}

ClaimVerdict judge(const ClaimCheck& c, const Interval& claimed, const Interval& derived) {
  switch (c.relation) {
    case Relation::is_true:
      return derived.low.si != 0 ? ClaimVerdict::yes : ClaimVerdict::no;
    case Relation::at_least:
      return judge_side(c, derived.low.si, derived.high.si, claimed.low.si, true);
    case Relation::at_most:
      return judge_side(c, derived.high.si, derived.low.si, claimed.high.si, false);
    case Relation::about:
      break;
  }
  return judge_about(c, claimed, derived);
}

double middle_ratio(const Interval& claimed, const Interval& derived) {
  const double c = claimed.low.si + claimed.high.si;
  return c != 0 ? (derived.low.si + derived.high.si) / c : 0;
}

/// What `against` names: the figure another claim makes, or an expression.
Spread against_of(const ClaimCheck& check, const Ledger& ledger, const Scope& scope) {
  if (const Claim* other = ledger.find(check.against)) {
    if (other->checks.empty()) return {{}, {}, "claim " + other->id + " claims no figure"};
    return evaluate_spread(other->checks.front().claimed, scope);
  }
  return evaluate_spread(check.against, scope);
}

void contradict(CheckResult& r, const Ledger& ledger, const Scope& scope) {
  if (r.check->against.empty()) return;
  const Spread other = against_of(*r.check, ledger, scope);
  r.error = other.error;
  if (!r.error.empty()) {
    r.verdict = ClaimVerdict::broken;
    return;
  }
  r.against = other.value;
  r.against_text =
      shown(other.value, r.check->unit.empty() ? unit_in(r.check->claimed) : r.check->unit);
  const double t = r.check->tolerance.get();
  if (!overlap(widened(r.claimed, t), widened(r.against, t))) {
    r.verdict = ClaimVerdict::inconsistent;
  }
}

CheckResult run_check(const ClaimCheck& check, const Ledger& ledger, const Scope& scope) {
  CheckResult r;
  r.check = &check;
  Spread derived = evaluate_spread(check.derive, scope);
  r.looked = std::move(derived.looked);
  r.derived = derived.value;
  r.error = derived.error;
  if (!r.error.empty()) return r;
  if (check.relation == Relation::is_true) {
    r.derived_text = r.derived.low.si != 0 ? "true" : "false";
    r.verdict = judge(check, r.claimed, r.derived);
    return r;
  }
  const Spread claimed = evaluate_spread(check.claimed, scope);
  r.claimed = claimed.value;
  r.error = claimed.error;
  if (r.error.empty() && r.claimed.low.dim != r.derived.low.dim) {
    r.error = fmt::format("claimed {}, derived {}", dimension_name(r.claimed.low.dim),
                          dimension_name(r.derived.low.dim));
  }
  if (!r.error.empty()) return r;
  const std::string unit = check.unit.empty() ? unit_in(check.claimed) : check.unit;
  r.claimed_text = shown(r.claimed, unit);
  r.derived_text = shown(r.derived, unit);
  r.ratio = middle_ratio(r.claimed, r.derived);
  r.verdict = judge(check, r.claimed, r.derived);
  contradict(r, ledger, scope);
  return r;
}

ClaimVerdict together(const Claim& claim, const std::vector<CheckResult>& checks) {
  const auto count = [&](ClaimVerdict v) {
    return static_cast<std::size_t>(std::count_if(
        checks.begin(), checks.end(), [v](const CheckResult& c) { return c.verdict == v; }));
  };
  if (count(ClaimVerdict::broken) > 0) return ClaimVerdict::broken;
  if (!claim.missing.empty()) return ClaimVerdict::unverifiable;
  if (checks.empty()) return ClaimVerdict::broken;
  if (count(ClaimVerdict::inconsistent) > 0) return ClaimVerdict::inconsistent;
  if (count(ClaimVerdict::yes) == checks.size()) {
    return claim.caveat.empty() ? ClaimVerdict::yes : ClaimVerdict::partly;
  }
  if (count(ClaimVerdict::no) == checks.size()) return ClaimVerdict::no;
  return ClaimVerdict::partly;
}

}  // namespace

std::string_view claim_verdict_name(ClaimVerdict verdict) {
  return verdict_names[static_cast<std::size_t>(verdict)];
}

void ClaimCheck::fields(spec::Fields& f) {
  f.text("inputs", inputs, "Where figures come from that neither claim nor catalogue names");
  f.text("what", what, "Which part of the claim; all of it when left out");
  f.text("claimed", claimed, "What was claimed: a quantity, or a range \"a to b\"");
  f.text("derive", derive, "Expression for what the engine says").required();
  f.choice("relation", relation, relation_names, "How the derived must stand to the claimed");
  f.number("tolerance", tolerance, "%", "Deviation at which a claim still holds").at_least(0);
  f.flag("exact", exact, "Right or wrong, nothing between");
  f.text("against", against, "Another claim, or a figure, that cannot hold beside this one");
  f.text("unit", unit, "Unit to show the figures in");
  if (claimed.empty() && !derive.empty() && relation != Relation::is_true) {
    f.mistake("claimed", "nothing is claimed", "name the figure, or set relation: is_true");
  }
}

void Claim::fields(spec::Fields& f) {
  f.text("id", id, "Article and number").required();
  f.text("layer", layer, "Layer it is about").required();
  f.text("claim", claim, "The claim, restated").required();
  f.choice("ledger", ledger, verdict_names, "Verdict of the people who checked it by hand");
  f.text("missing", missing, "What the claim leaves out, so that nobody can verify it");
  f.text("caveat", caveat, "A part that is no figure and that its own source contradicts");
  f.text("because", because, "What the derivation shows");
  f.text("dispute", dispute, "Why our verdict is another than the ledger's");
  f.choice("ours", ours, verdict_names, "Our verdict where it is disputed");
  f.list("checks", checks, "What is derived and held against what was claimed");
}

void Ledger::fields(spec::Fields& f) { f.list("claims", claims, "Published claims"); }

const Claim* Ledger::find(std::string_view id) const {
  const auto it =
      std::find_if(claims.begin(), claims.end(), [&](const Claim& c) { return c.id == id; });
  return it == claims.end() ? nullptr : &*it;
}

Ledger read_ledger(const spec::Node& root, Diagnostics& diagnostics, const std::string& file) {
  Ledger ledger;
  spec::ReadContext context;
  context.file = std::make_shared<const std::string>(file);
  context.default_source = assumed("tolerance of the ledger");
  spec::read(root, ledger, context, diagnostics);
  return ledger;
}

ClaimResult evaluate_claim(const Claim& claim, const Ledger& ledger,
                           const catalog::Catalog& catalog) {
  const Scope scope{catalog, layer_functions(), {}};
  ClaimResult out;
  out.claim = &claim;
  for (const ClaimCheck& c : claim.checks) out.checks.push_back(run_check(c, ledger, scope));
  out.verdict = together(claim, out.checks);
  out.agrees = out.verdict == claim.ledger;
  out.expected = out.verdict == (claim.dispute.empty() ? claim.ledger : claim.ours);
  return out;
}

std::vector<ClaimResult> evaluate_claims(const Ledger& ledger, const catalog::Catalog& catalog) {
  std::vector<ClaimResult> out;
  for (const Claim& c : ledger.claims) out.push_back(evaluate_claim(c, ledger, catalog));
  return out;
}

namespace {

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\\|");
  }
  return text.empty() ? "-" : text;
}

/// Ends a sentence, and leaves room for the next.
void sentence(std::string& out, const char* lead, const std::string& text) {
  if (text.empty()) return;
  if (!out.empty()) out += ". ";
  out += lead + text;
}

std::string check_words(const CheckResult& c) {
  std::string out = c.check->what.empty() ? "" : c.check->what + ": ";
  out += "`" + c.check->derive + "`";
  if (!c.check->inputs.empty()) out += " with " + c.check->inputs;
  if (!c.error.empty()) out += " (" + c.error + ")";
  return out;
}

std::string workings(const ClaimResult& r) {
  std::string out;
  for (const CheckResult& c : r.checks) out += (out.empty() ? "" : "; ") + check_words(c);
  sentence(out, "Missing: ", r.claim->missing);
  sentence(out, "But: ", r.claim->caveat);
  sentence(out, "", r.claim->because);
  if (!r.agrees) sentence(out, "Ledger disputed: ", r.claim->dispute);
  return out;
}

template <class Text>
std::string column(const ClaimResult& r, Text text) {
  std::string out;
  for (const CheckResult& c : r.checks) {
    const std::string& part = text(c);
    if (!part.empty()) out += (out.empty() ? "" : "; ") + part;
  }
  return out;
}

}  // namespace

std::string claims_markdown(const std::vector<ClaimResult>& results) {
  const auto agree =
      std::count_if(results.begin(), results.end(), [](const ClaimResult& r) { return r.agrees; });
  std::string out = fmt::format(
      "# Claims, derived\n\nGenerated by `headroom claims --markdown`; do not edit. {} published "
      "claims about AI infrastructure, each held against what the engine derives. {} verdicts "
      "agree with those of the ledger, which lay at hand when the "
      "checks were written: agreement pins them, it does not prove them.\n\n"
      "| id | claim | claimed | derived | verdict | ledger | how "
      "|\n|---|---|---|---|---|---|---|\n",
      results.size(), agree);
  for (const ClaimResult& r : results) {
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} |\n", r.claim->id, cell(r.claim->claim),
        cell(column(r, [](const CheckResult& c) -> const std::string& { return c.claimed_text; })),
        cell(column(r, [](const CheckResult& c) -> const std::string& { return c.derived_text; })),
        claim_verdict_name(r.verdict), claim_verdict_name(r.claim->ledger), cell(workings(r)));
  }
  return out;
}

}  // namespace headroom::study
