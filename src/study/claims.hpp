// Claims: what is said in print about AI infrastructure, derived again.
//
// data/claims.yaml lists published claims. A claim's figures stand there only
// as what was claimed; the figure they are held against is an expression
// (expression.hpp) over the catalogue and the layers. A verdict follows from
// the two by rule and is compared with the ledger's, which people wrote:
//
//   yes           the claim holds within `tolerance` (10 % unless given)
//   partly        it is off by no more than a factor 1.65, or a claimed range
//                 covers the derived one in part, or some checks hold, not all
//   no            it is further off; or off at all, where the claim is `exact`
//   inconsistent  the claim and `against` (another claim, or a figure derived
//                 from the same article) cannot both hold
//   unverifiable  the claim leaves out something it depends on (`missing`)
//
// Precedence: unverifiable, inconsistent, then the checks together: all yes is
// yes (partly, with a `caveat`), all no is no, else partly.
//
// Quantities are written as expressions, ranges as "5 kW to 10 kW".
// An expression that does not evaluate makes the claim `broken`, never silent.
// Complexity: milliseconds for all claims. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostics.hpp"
#include "catalog/catalog.hpp"
#include "spec/fields.hpp"
#include "spec/node.hpp"
#include "study/expression.hpp"

namespace headroom::study {

enum class ClaimVerdict : unsigned char { yes, partly, no, inconsistent, unverifiable, broken };
std::string_view claim_verdict_name(ClaimVerdict verdict);

/// How a derived figure must stand to the claimed one.
enum class Relation : unsigned char {
  about,     ///< equal; or inside, when a range was claimed
  at_least,  ///< the derived figure reaches the claimed one
  at_most,   ///< the derived figure stays below the claimed one
  is_true,   ///< `derive` is a comparison; nothing is claimed in figures
};

struct ClaimCheck {
  std::string what;     ///< which part of the claim; empty when it is all of it
  std::string claimed;  ///< expression, or "a to b"
  std::string derive;   ///< expression, or "a to b"
  Relation relation = Relation::about;
  Value<Scalar> tolerance{Scalar(0.10),
                          assumed("a rule of thumb that is right to a tenth is right")};
  std::string inputs;   ///< source of figures in `derive` that neither claim nor catalogue names
  bool exact = false;   ///< right or wrong, nothing between
  std::string against;  ///< id of another claim, or an expression
  std::string unit;     ///< to show both figures in; that of `claimed` when empty

  void fields(spec::Fields& f);
};

struct Claim {
  std::string id;
  std::string layer;
  std::string claim;  ///< restated in our words
  ClaimVerdict ledger = ClaimVerdict::yes;
  std::string missing;  ///< what the claim leaves out
  std::string caveat;   ///< a part that is no figure and that its own source contradicts
  std::string because;  ///< what the derivation shows, for people
  std::string dispute;  ///< why the ledger's verdict is not ours, where it is not
  ClaimVerdict ours = ClaimVerdict::yes;  ///< our verdict, where there is a dispute
  std::vector<ClaimCheck> checks;

  void fields(spec::Fields& f);
};

struct Ledger {
  std::vector<Claim> claims;

  void fields(spec::Fields& f);
  const Claim* find(std::string_view id) const;
};

/// Reads a ledger; mistakes go to `diagnostics`.
Ledger read_ledger(const spec::Node& root, Diagnostics& diagnostics,
                   const std::string& file = "claims.yaml");

/// A figure or a range of one dimension.
struct Interval {
  Amount low, high;
};

struct CheckResult {
  const ClaimCheck* check = nullptr;
  ClaimVerdict verdict = ClaimVerdict::broken;
  Interval claimed, derived, against;
  std::string claimed_text;    ///< "25 kW"
  std::string derived_text;    ///< "40.8 kW"
  std::string against_text;    ///< empty when there is none
  std::vector<Looked> looked;  ///< catalogue numbers and layer answers behind `derived`
  std::string error;
  /// Middle of derived over middle of claimed; 0 when there is no such ratio.
  double ratio = 0;
};

struct ClaimResult {
  const Claim* claim = nullptr;
  ClaimVerdict verdict = ClaimVerdict::broken;
  bool agrees = false;    ///< with the ledger
  bool expected = false;  ///< with the ledger, or with `ours` where that is disputed
  std::vector<CheckResult> checks;
};

/// The layers' functions that expressions may call.
const Functions& layer_functions();

ClaimResult evaluate_claim(const Claim& claim, const Ledger& ledger,
                           const catalog::Catalog& catalog);
std::vector<ClaimResult> evaluate_claims(const Ledger& ledger, const catalog::Catalog& catalog);

/// The table as Markdown (docs/claims.md).
std::string claims_markdown(const std::vector<ClaimResult>& results);

}  // namespace headroom::study
