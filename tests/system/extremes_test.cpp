// Every number of every scenario set to nothing, to next to nothing and to far
// too much, one at a time: refused with a reason, or answered with figures that
// are numbers, with energy conserved, and without a long wait.
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>

#include "base/units.hpp"
#include "report/report.hpp"
#include "spec/node.hpp"
#include "study/scenario.hpp"
#include "system/scenarios.hpp"

namespace headroom::system_test {
namespace {

#ifdef HEADROOM_SLOW_BUILD
constexpr double most_seconds = 20;
#else
constexpr double most_seconds = 2;
#endif

struct Leaf {
  std::string path;
  double number = 0;
  std::string prefix;  ///< "3 x " of a bank
  std::string unit;
};

/// A scalar that reads as a number, with what stands around it.
bool parse_leaf(const std::string& text, Leaf& leaf) {
  const std::size_t x = text.find(" x ");
  leaf.prefix = x == std::string::npos ? "" : text.substr(0, x + 3);
  const auto split = split_number(std::string_view(text).substr(leaf.prefix.size()));
  if (!split || !parse_unit(split->unit)) return false;
  leaf.number = split->number;
  leaf.unit = split->unit;
  return true;
}

void collect(const spec::Node& node, const std::string& path, std::vector<Leaf>& out) {
  if (node.kind == spec::Node::Kind::scalar) {
    Leaf leaf;
    leaf.path = path;
    if (parse_leaf(node.text, leaf)) out.push_back(leaf);
    return;
  }
  const bool map = node.kind == spec::Node::Kind::map;
  for (std::size_t i = 0; i < node.items.size(); i += map ? 2 : 1) {
    const std::string key = map ? node.items[i].text : std::to_string(i);
    collect(node.items[map ? i + 1 : i], path.empty() ? key : path + "." + key, out);
  }
}

std::vector<Leaf> numbers_of(const std::string& file) {
  Diagnostics diagnostics;
  const auto document = spec::load_yaml(file, diagnostics);
  std::vector<Leaf> out;
  if (document) collect(document->root, "", out);
  return out;
}

/// What is wrong with an answer, in a few words; empty when nothing is.
std::string nonsense_in(const study::Verdict& v) {
  for (const auto& m : v.margins) {
    if (std::isnan(m.need) || std::isnan(m.have) || std::isnan(m.headroom()))
      return "limit " + m.id;
  }
  for (const auto& node : v.trace.nodes()) {
    if (std::isnan(node.si)) return "figure " + node.id;
  }
  if (!(std::abs(v.energy_imbalance) <= 1e-6))
    return "energy: off by " + std::to_string(v.energy_imbalance);
  if (report::text(v, {false, 120, true}).find("nan") != std::string::npos)
    return "the text says nan";
  return "";
}

std::string assignment(const Leaf& leaf, double number) {
  char exact[40];
  std::snprintf(exact, sizeof exact, "%.17g", number);
  return leaf.path + "=" + leaf.prefix + exact + (leaf.unit.empty() ? "" : " " + leaf.unit);
}

/// Every number a scenario could have, also where it says nothing, by its path
/// and display unit; what a list holds is taken from the scenario.
class Possible : public spec::Fields {
 public:
  static std::vector<Leaf> of(spec::ObjectRef object) {
    Possible possible;
    object.describe(object.object, possible);
    return std::move(possible.leaves_);
  }

 protected:
  void on_number(const spec::Info& info, Number&, Dim, bool) override { add(info, ""); }
  void on_bank(const spec::Info& info, int&, Number&, Dim) override { add(info, "2 x "); }
  void on_integer(const spec::Info& info, int&) override { add(info, "", 2e9); }
  void on_flag(const spec::Info&, bool&) override {}
  void on_text(const spec::Info&, std::string&) override {}
  void on_texts(const spec::Info&, std::vector<std::string>&) override {}
  void on_date(const spec::Info&, std::string&) override {}
  void on_choice(const spec::Info&, int&, std::span<const std::string_view>) override {}
  void on_reference(const spec::Info&, std::string&, std::string_view) override {}
  void on_object(const spec::Info& info, spec::ObjectRef object) override {
    descend(info.key, object);
  }
  void on_optional_object(const spec::Info& info, void* slot, bool present,
                          spec::ObjectRef (*make)(void*), spec::ObjectRef (*prototype)()) override {
    descend(info.key, present ? make(slot) : prototype());
  }
  void on_list(const spec::Info& info, spec::ListRef list) override {
    for (std::size_t i = 0; i < list.size(list.list); ++i) {
      descend(std::string(info.key) + "." + std::to_string(i), list.at(list.list, i));
    }
  }

 private:
  void add(const spec::Info& info, const std::string& prefix, double most = 1e12) {
    const std::string unit = info.unit == "1" ? "" : std::string(info.unit);
    leaves_.push_back({path_ + std::string(info.key), info.low, prefix, unit});
    leaves_.push_back({path_ + std::string(info.key), std::min(info.high, most), prefix, unit});
  }
  void descend(std::string_view key, spec::ObjectRef object) {
    const std::string outer = path_;
    path_ += std::string(key) + ".";
    object.describe(object.object, *this);
    path_ = outer;
  }

  std::string path_;
  std::vector<Leaf> leaves_;
};

class Extremes : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Every, Extremes, testing::ValuesIn(scenario_files()),
                         [](const auto& info) { return parameter_name(stem(info.param)); });

/// Sets one number; whether there was an answer. Fails on nonsense.
bool answers(const std::string& file, const std::string& set) {
  api::Request request;
  request.file = file;
  request.sets = {set};
  const std::clock_t start = std::clock();
  Result<study::Verdict> verdict;
  EXPECT_NO_THROW(verdict = api::check(request)) << "--set " << set;
  EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, most_seconds) << "--set " << set;
  if (!verdict) return false;
  EXPECT_EQ(nonsense_in(*verdict), "") << "--set " << set;
  return true;
}

TEST_P(Extremes, EveryNumberMayBeAbsurd) {
  const auto leaves = numbers_of(GetParam());
  ASSERT_GT(leaves.size(), 5u);
  std::size_t answered = 0;
  for (const auto& leaf : leaves) {
    for (const double number :
         {0.0, leaf.number * 1e-9, 1.0, leaf.number * 1e3, leaf.number * 1e12}) {
      answered += answers(GetParam(), assignment(leaf, number)) ? 1 : 0;
    }
  }
  EXPECT_GT(answered, leaves.size());
}

TEST_P(Extremes, EveryNumberLeftOutMayBeAbsurd) {
  auto loaded = study::load(GetParam(), {}, catalog::Catalog::builtin());
  ASSERT_TRUE(loaded) << render(loaded.error());
  const auto leaves = Possible::of(spec::object_ref(loaded->scenario));
  ASSERT_GT(leaves.size(), 100u);
  std::size_t answered = 0;
  for (const auto& leaf : leaves) {
    answered += answers(GetParam(), assignment(leaf, leaf.number)) ? 1 : 0;
  }
  EXPECT_GT(answered, leaves.size() * 3 / 4);
}

}  // namespace
}  // namespace headroom::system_test
