#include "study/claims.hpp"

#include <gtest/gtest.h>

#include <set>

#include "catalog/packed_data.hpp"

namespace headroom::study {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

Ledger builtin_ledger() {
  Diagnostics d;
  Ledger ledger = read_ledger(catalog::packed_document("claims.yaml"), d);
  EXPECT_TRUE(d.empty()) << render(d);
  return ledger;
}

ClaimVerdict judge(ClaimCheck check) {
  Claim claim;
  claim.id = "t-001";
  claim.checks = {std::move(check)};
  return evaluate_claim(claim, {}, builtin()).verdict;
}
ClaimCheck check(std::string claimed, std::string derive, Relation relation = Relation::about) {
  ClaimCheck c;
  c.claimed = std::move(claimed);
  c.derive = std::move(derive);
  c.relation = relation;
  return c;
}

// --- The rules -----------------------------------------------------------------------

TEST(ClaimRules, FigureWithinATenthHolds) {
  EXPECT_EQ(judge(check("100 kW", "109 kW")), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("100 kW", "91 kW")), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("100 kW", "160 kW")), ClaimVerdict::partly);
  EXPECT_EQ(judge(check("100 kW", "62 kW")), ClaimVerdict::partly);
  EXPECT_EQ(judge(check("100 kW", "170 kW")), ClaimVerdict::no);
  EXPECT_EQ(judge(check("100 kW", "-100 kW")), ClaimVerdict::no);
}

TEST(ClaimRules, ExactClaimsAreRightOrWrong) {
  ClaimCheck c = check("2 x", "2.25");
  EXPECT_EQ(judge(c), ClaimVerdict::partly);
  c.exact = true;
  EXPECT_EQ(judge(c), ClaimVerdict::no);
}

TEST(ClaimRules, RangesInsideOverlappingAndApart) {
  EXPECT_EQ(judge(check("10 kW to 20 kW", "15 kW")), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("10 kW to 20 kW", "12 kW to 18 kW")), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("10 kW to 20 kW", "15 kW to 30 kW")), ClaimVerdict::partly);
  EXPECT_EQ(judge(check("10 kW to 20 kW", "5 kW to 50 kW")), ClaimVerdict::yes);  // covered
  EXPECT_EQ(judge(check("10 kW to 20 kW", "40 kW to 50 kW")), ClaimVerdict::no);
}

TEST(ClaimRules, OneSidedClaims) {
  EXPECT_EQ(judge(check("100 kW", "500 kW", Relation::at_least)), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("100 kW", "70 kW", Relation::at_least)), ClaimVerdict::partly);
  EXPECT_EQ(judge(check("100 kW", "20 kW", Relation::at_least)), ClaimVerdict::no);
  EXPECT_EQ(judge(check("52 U", "40 U", Relation::at_most)), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("52 U", "200 U", Relation::at_most)), ClaimVerdict::no);
  EXPECT_EQ(judge(check("", "1 < 2", Relation::is_true)), ClaimVerdict::yes);
  EXPECT_EQ(judge(check("", "2 < 1", Relation::is_true)), ClaimVerdict::no);
}

TEST(ClaimRules, ContradictionOutranksTheFigure) {
  ClaimCheck c = check("10 kW", "10 kW");
  c.against = "50 kW";
  EXPECT_EQ(judge(c), ClaimVerdict::inconsistent);
  c.against = "10.5 kW";
  EXPECT_EQ(judge(c), ClaimVerdict::yes);
}

TEST(ClaimRules, ChecksTogether) {
  Claim claim;
  claim.checks = {check("1", "1"), check("1", "9")};
  EXPECT_EQ(evaluate_claim(claim, {}, builtin()).verdict, ClaimVerdict::partly);
  claim.checks = {check("1", "9"), check("1", "9")};
  EXPECT_EQ(evaluate_claim(claim, {}, builtin()).verdict, ClaimVerdict::no);
  claim.checks = {check("1", "1")};
  claim.caveat = "its cause is another";
  EXPECT_EQ(evaluate_claim(claim, {}, builtin()).verdict, ClaimVerdict::partly);
  claim.missing = "the base";
  EXPECT_EQ(evaluate_claim(claim, {}, builtin()).verdict, ClaimVerdict::unverifiable);
}

TEST(ClaimRules, NothingBrokenIsSilent) {
  for (const auto& c : {check("1 kW", "1 kWh"), check("1 kW", "nonsense("), check("huh", "1")}) {
    Claim claim;
    claim.missing = "even so";
    claim.checks = {c};
    const auto r = evaluate_claim(claim, {}, builtin());
    EXPECT_EQ(r.verdict, ClaimVerdict::broken) << c.derive;
    EXPECT_FALSE(r.checks[0].error.empty());
  }
  EXPECT_EQ(evaluate_claim(Claim{}, {}, builtin()).verdict, ClaimVerdict::broken);
}

// --- The ledger -------------------------------------------------------------------------

TEST(Claims, EveryReproducibleClaimIsCarriedOnce) {
  const Ledger ledger = builtin_ledger();
  std::set<std::string> ids;
  for (const Claim& c : ledger.claims) EXPECT_TRUE(ids.insert(c.id).second) << c.id;
  EXPECT_EQ(ids.size(), 132u);
}

// A verdict that changes, by a new figure in the catalogue or a changed model, fails here.
TEST(Claims, VerdictsAreAsExpectedOrDisputed) {
  const Ledger ledger = builtin_ledger();
  for (const ClaimResult& r : evaluate_claims(ledger, builtin())) {
    std::string detail;
    for (const CheckResult& c : r.checks) {
      detail += "\n  claimed " + c.claimed_text + ", derived " + c.derived_text + " " + c.error +
                " by " + c.check->derive;
    }
    EXPECT_TRUE(r.expected) << r.claim->id << ": " << claim_verdict_name(r.verdict) << ", expected "
                            << claim_verdict_name(r.claim->ledger) << detail;
  }
}

// Figures that anybody can check with a data sheet and a pocket calculator.
TEST(Claims, DerivedFigures) {
  const Ledger ledger = builtin_ledger();
  const auto derived = [&](const char* id) {
    const Claim* c = ledger.find(id);
    EXPECT_NE(c, nullptr) << id;
    return evaluate_claim(*c, ledger, builtin()).checks[0].derived;
  };
  EXPECT_DOUBLE_EQ(derived("a0-005").low.si, 4 * 10.2e3);
  EXPECT_NEAR(derived("a2-007").low.si / 86400, 94, 1);
  EXPECT_DOUBLE_EQ(derived("a3-014").low.si, 80);
  EXPECT_NEAR(derived("a3-028").low.si, 1e5 * 1275 * 1.15, 1);
  EXPECT_NEAR(derived("a3-010").low.si / 8e12, 25.2, 1e-9);
  EXPECT_NEAR(derived("a3-069").low.si, 7.884e6, 1);  // m3
  EXPECT_NEAR(derived("a3-035").low.si, 861283.2, 0.1);
}

// Every `against` that looks like a claim's id must be one.
TEST(Claims, CrossReferencesExist) {
  const Ledger ledger = builtin_ledger();
  for (const Claim& c : ledger.claims) {
    for (const ClaimCheck& k : c.checks) {
      if (k.against.size() == 6 && k.against[0] == 'a' && k.against[2] == '-') {
        EXPECT_NE(ledger.find(k.against), nullptr) << c.id;
      }
    }
  }
}

TEST(Claims, MarkdownHasARowEach) {
  const Ledger ledger = builtin_ledger();
  const std::string text = claims_markdown(evaluate_claims(ledger, builtin()));
  for (const Claim& c : ledger.claims) EXPECT_NE(text.find("| " + c.id + " |"), std::string::npos);
}

TEST(Claims, MistakesInALedgerAreReported) {
  Diagnostics d;
  auto doc = spec::parse_yaml("x.yaml",
                              "claims:\n  - {id: a, layer: b, claim: c, ledgr: yes, "
                              "checks: [{derive: 1}]}\n",
                              d);
  ASSERT_TRUE(doc);
  read_ledger(doc->root, d, "x.yaml");
  EXPECT_GE(d.count(), 2u);  // unknown key; nothing claimed
}

}  // namespace
}  // namespace headroom::study
