// Properties that every scenario in the tree has, whatever its numbers are:
// limits are numbers of one dimension, every figure can be explained down to a
// source, energy is conserved, and the same question gets the same answer.
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <set>

#include "base/units.hpp"
#include "report/report.hpp"
#include "system/scenarios.hpp"

namespace headroom::system_test {
namespace {

class Scenarios : public testing::TestWithParam<std::string> {
 protected:
  const study::Verdict& verdict() const { return *verdict_of(GetParam()); }
  const Trace& trace() const { return verdict().trace; }

  void SetUp() override {
    const auto& answer = verdict_of(GetParam());
    ASSERT_TRUE(answer) << render(answer.error());
  }
};

INSTANTIATE_TEST_SUITE_P(Every, Scenarios, testing::ValuesIn(scenario_files()),
                         [](const auto& info) { return parameter_name(stem(info.param)); });

bool is_kebab_path(const std::string& id) {
  static const std::regex form("[a-z0-9]+([-_][a-z0-9]+)*(\\.[a-z0-9]+([-_][a-z0-9]+)*)*");
  return std::regex_match(id, form);
}

TEST_P(Scenarios, LimitsAreNumbersOfOneDimension) {
  EXPECT_FALSE(verdict().margins.empty());
  for (const auto& m : verdict().margins) {
    EXPECT_TRUE(std::isfinite(m.need) && std::isfinite(m.have)) << m.id;
    EXPECT_TRUE(is_kebab_path(m.id)) << m.id;
    EXPECT_EQ(m.id.substr(0, m.id.find('.')), m.layer) << m.id;
    const auto unit = parse_unit(m.unit);
    ASSERT_TRUE(unit) << m.id << ": '" << m.unit << "'";
    for (NodeId node : {m.need_node, m.have_node}) {
      ASSERT_NE(node, no_node) << m.id << " cannot be explained";
      const auto of_node = parse_unit(trace().at(node).unit);
      ASSERT_TRUE(of_node) << m.id;
      EXPECT_EQ(of_node->dim, unit->dim) << m.id << ": " << trace().at(node).id << " in "
                                         << trace().at(node).unit << ", the limit in " << m.unit;
    }
    EXPECT_NEAR(trace().at(m.need_node).si, m.need, 1e-9 * std::abs(m.need)) << m.id;
    EXPECT_NEAR(trace().at(m.have_node).si, m.have, 1e-9 * std::abs(m.have)) << m.id;
  }
}

TEST_P(Scenarios, LimitsSpeakToPeople) {
  std::set<std::string> ids;
  for (const auto& m : verdict().margins) {
    EXPECT_TRUE(ids.insert(m.id).second) << m.id << " is reported twice";
    EXPECT_FALSE(m.limit.empty()) << m.id;
    EXPECT_FALSE(m.why.empty()) << m.id;
    if (!m.holds()) {
      EXPECT_FALSE(m.remedies.empty()) << m.id << " falls short and names no remedy";
    }
    for (const auto& remedy : m.remedies) {
      EXPECT_FALSE(remedy.action.empty()) << m.id;
      if (remedy.cost) {
        EXPECT_TRUE(std::isfinite(remedy.cost->si())) << m.id << ": " << remedy.action;
      }
      if (remedy.lead_time) {
        EXPECT_GE(remedy.lead_time->si(), 0) << m.id << ": " << remedy.action;
      }
    }
    for (const auto& text : {m.limit, m.why}) {
      EXPECT_EQ(text.find("nan"), std::string::npos) << m.id << ": " << text;
    }
  }
}

TEST_P(Scenarios, LimitsAreRanked) {
  const auto& margins = verdict().margins;
  for (std::size_t i = 1; i < margins.size(); ++i) {
    EXPECT_LE(margins[i - 1].headroom(), margins[i].headroom()) << margins[i].id;
  }
  const bool all =
      std::all_of(margins.begin(), margins.end(), [](const Margin& m) { return m.holds(); });
  EXPECT_EQ(verdict().fits, all);
}

TEST_P(Scenarios, EveryFigureLeadsToASource) {
  const auto& nodes = trace().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const TraceNode& node = nodes[i];
    EXPECT_TRUE(is_kebab_path(node.id)) << node.id;
    if (!node.text.empty()) continue;
    EXPECT_TRUE(parse_unit(node.unit)) << node.id << ": '" << node.unit << "'";
    EXPECT_FALSE(std::isnan(node.si)) << node.id;
    EXPECT_LE(node.low, node.high) << node.id;
    if (node.inputs.empty() && node.formula.empty()) {
      EXPECT_TRUE(node.origin.source) << node.id << " has neither a formula nor a source";
    } else {
      EXPECT_FALSE(node.formula.empty()) << node.id << " was computed, and nothing says how";
    }
    if (node.origin.source) {
      // "recalled, unverified" says all there is to say.
      const Source& source = *node.origin.source;
      EXPECT_TRUE(source.trust == Trust::recalled || !source.title.empty()) << node.id;
    }
  }
}

/// Whether the figures below `node` include one that rests on itself.
bool goes_round(const Trace& trace, NodeId node, std::vector<char>& state) {
  constexpr char open = 1, done = 2;
  if (state[node] == done) return false;
  if (state[node] == open) return true;
  state[node] = open;
  for (NodeId input : trace.at(node).inputs) {
    if (goes_round(trace, input, state)) return true;
  }
  state[node] = done;
  return false;
}

TEST_P(Scenarios, NoFigureRestsOnItself) {
  std::vector<char> state(trace().nodes().size());
  for (NodeId node = 0; node < state.size(); ++node) {
    ASSERT_FALSE(goes_round(trace(), node, state)) << trace().at(node).id;
  }
}

TEST_P(Scenarios, ReportedLinesCanBeExplained) {
  std::vector<const study::Section*> sections = {&verdict().money, &verdict().energy,
                                                 &verdict().carbon, &verdict().water};
  for (const auto& section : verdict().workloads) sections.push_back(&section);
  for (const auto* section : sections) {
    std::set<std::string> keys;
    for (const auto& line : section->lines) {
      EXPECT_TRUE(keys.insert(line.key).second)
          << section->key << "." << line.key << " stands twice";
      EXPECT_TRUE(std::isfinite(line.si)) << section->key << "." << line.key;
      EXPECT_TRUE(parse_unit(line.unit)) << section->key << "." << line.key << ": " << line.unit;
      ASSERT_NE(line.node, no_node) << section->key << "." << line.key;
      EXPECT_TRUE(report::explain(verdict(), trace().at(line.node).id)) << trace().at(line.node).id;
    }
  }
  for (const auto& m : verdict().margins) EXPECT_TRUE(report::explain(verdict(), m.id)) << m.id;
}

TEST_P(Scenarios, EnergyIsConserved) { EXPECT_LE(std::abs(verdict().energy_imbalance), 1e-6); }

TEST_P(Scenarios, BillIsPriced) {
  for (const auto& line : verdict().bill.lines()) {
    EXPECT_TRUE(std::isfinite(line.count)) << line.id;
    EXPECT_GE(line.count, 0) << line.id;
    EXPECT_FALSE(line.item.empty()) << line.id;
    if (line.unit_price) { EXPECT_TRUE(std::isfinite(line.unit_price->si())) << line.id; }
  }
}

TEST_P(Scenarios, TheSameQuestionGetsTheSameAnswer) {
  const auto again = check_file(GetParam());
  ASSERT_TRUE(again);
  EXPECT_EQ(report::json(verdict()), report::json(*again));
}

TEST_P(Scenarios, TextsAreFreeOfNonsense) {
  for (bool all : {false, true}) {
    const std::string text = report::text(verdict(), {false, 120, all});
    for (const char* nonsense : {"nan", "inf ", "-0 ", "1e+", "e+1", "\033"}) {
      const auto at = text.find(nonsense);
      EXPECT_EQ(at, std::string::npos)
          << nonsense << " in: " << text.substr(at > 60 ? at - 60 : 0, 120);
    }
  }
  EXPECT_NE(report::text(verdict(), {true, 120, false}).find("\033["), std::string::npos);
}

// No limit goes unseen: each layer's limits are in the text with --all.
TEST_P(Scenarios, EveryLimitIsInTheWholeText) {
  const std::string text = report::text(verdict(), {false, 400, true});
  for (const auto& m : verdict().margins) {
    EXPECT_NE(text.find(m.limit.substr(0, 40)), std::string::npos) << m.limit;
  }
}

}  // namespace
}  // namespace headroom::system_test
