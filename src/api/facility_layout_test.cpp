#include "api/facility_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace headroom::api {
namespace {

using Json = nlohmann::json;

std::string scenario(const std::string& name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

FacilityRequest request(const std::string& name, std::vector<std::string> sets = {}) {
  FacilityRequest r;
  r.file = scenario(name), r.sets = std::move(sets);
  return r;
}

/// Tags closed in order, attributes quoted, no bare & or <: enough of XML for what is written.
bool well_formed(const std::string& s) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '&') {
      const auto end = s.find(';', i);
      if (end == std::string::npos || end - i > 6) return false;
    }
    if (s[i] != '<') continue;
    const auto end = s.find('>', i);
    if (end == std::string::npos) return false;
    const std::string tag = s.substr(i + 1, end - i - 1);
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return false;
    if (tag.find('<') != std::string::npos) return false;
    const std::string name =
        tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" /", 1) - (tag[0] == '/' ? 1 : 0));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    i = end;
  }
  return open.empty();
}

TEST(FacilityLayout, CountsMatchTheScenario) {
  const auto a = facility_layout(request("nvl72-row"));
  ASSERT_TRUE(a);
  ASSERT_EQ(a->halls.size(), 1u);
  const auto& h = a->halls[0];
  const auto count = [&](building::BlockKind k) {
    return std::count_if(h.plan.blocks.begin(), h.plan.blocks.end(),
                         [&](const auto& b) { return b.what == k; });
  };
  EXPECT_EQ(h.input.kinds[0].count, 8);
  EXPECT_EQ(count(building::BlockKind::cdu), 3);
  EXPECT_EQ(count(building::BlockKind::room_unit), 4);
  EXPECT_EQ(count(building::BlockKind::pdu), 0);  // busways
  EXPECT_EQ(h.plan.positions, 16);
  double w = 0;
  for (const auto& z : h.plan.zones) w += z.power_w;
  EXPECT_NEAR(w, h.it_max_w, 1e-6 * h.it_max_w);
  EXPECT_TRUE(a->holds());
}

TEST(FacilityLayout, ALastRackHoldsWhatIsLeft) {
  const auto a = facility_layout(request("legacy-hall", {"clusters.gpu.count=46"}));
  ASSERT_TRUE(a);
  const auto& k = a->halls[0].input.kinds;
  ASSERT_GE(k.size(), 2u);
  EXPECT_EQ(k[0].count, 11);
  EXPECT_EQ(k[1].count, 1);
  EXPECT_NEAR(k[1].power_w, k[0].power_w / 2, 1e-6);
}

// The gross area is held against the building's; aisles and rooms come from the scenario.
TEST(FacilityLayout, GrossAreaAndAisles) {
  const auto small = facility_layout(request("nvl72-row", {"building.area=200 m2"}));
  const auto large = facility_layout(request("nvl72-row", {"building.area=2000 m2"}));
  ASSERT_TRUE(small && large);
  EXPECT_FALSE(small->gross_fits());
  EXPECT_FALSE(small->holds());
  EXPECT_TRUE(large->holds());
  const auto wide =
      facility_layout(request("nvl72-row", {"building.halls.A.layout.cold_aisle=2.4 m"}));
  ASSERT_TRUE(wide);
  EXPECT_GT(wide->halls[0].plan.needed_area_m2(), large->halls[0].plan.needed_area_m2());
  const auto none =
      facility_layout(request("nvl72-row", {"building.halls.A.layout.cold_aisle=0.1 m"}));
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().all()[0].message.find("0.6"), std::string::npos);
}

TEST(FacilityLayout, DrawingsAreWellFormed) {
  for (const char* name : {"nvl72-row", "legacy-hall", "campus-100k"}) {
    const auto a = facility_layout(request(name));
    ASSERT_TRUE(a) << name;
    EXPECT_TRUE(well_formed(report::layout_svg(*a))) << name;
    EXPECT_TRUE(well_formed(report::layout_svg(*a, true))) << name;
    EXPECT_FALSE(Json::parse(report::layout_json(*a)).at("halls").empty());
    const auto g = facility_gantt(request(name));
    ASSERT_TRUE(g) << name;
    EXPECT_TRUE(well_formed(report::gantt_svg(*g))) << name;
  }
  auto odd = *facility_layout(request("nvl72-row"));
  odd.scenario = "a < b & \"c\"\x01", odd.halls[0].title = "<hall>";
  EXPECT_TRUE(well_formed(report::layout_svg(odd)));
  EXPECT_FALSE(well_formed("<a><b></a></b>"));
}

struct Words {
  double left, right, bottom;
};

/// Level texts of a drawing with the ground they take at a mean letter of 6.4 px.
std::vector<Words> words_of(const std::string& svg) {
  std::vector<Words> out;
  const auto value = [&](const std::string& tag, const char* key) {
    const auto at = tag.find(std::string(" ") + key + "=\"");
    return at == std::string::npos ? std::string()
                                   : tag.substr(at + std::string(key).size() + 3,
                                                tag.find('"', at + std::string(key).size() + 3) -
                                                    at - std::string(key).size() - 3);
  };
  for (std::size_t i = svg.find("<text x="); i != std::string::npos;
       i = svg.find("<text x=", i + 1)) {
    const auto end = svg.find('>', i);
    const std::string tag = svg.substr(i, end - i);
    const double w = 6.4 * double(svg.find("</text>", end) - end - 1);
    const double x = std::stod(value(tag, "x"));
    const double left = value(tag, "text-anchor") == "middle" ? x - w / 2 : x;
    out.push_back({left, left + w, std::stod(value(tag, "y"))});
  }
  return out;
}

TEST(FacilityLayout, NoTextOverlapsAnother) {
  for (const char* name : {"nvl72-row", "legacy-hall", "campus-100k"}) {
    const auto words = words_of(report::layout_svg(*facility_layout(request(name))));
    ASSERT_GT(words.size(), 5u);
    for (std::size_t i = 0; i < words.size(); ++i)
      for (std::size_t j = i + 1; j < words.size(); ++j)
        EXPECT_FALSE(std::abs(words[i].bottom - words[j].bottom) < 11 &&
                     words[i].left < words[j].right && words[j].left < words[i].right)
            << name << " " << i << " " << j;
  }
}

// Tasks in the chart: slack never below 0, the critical ones end to end make the whole span.
TEST(FacilityGantt, TasksAreAScheduleAndPlansDiffer) {
  const auto a = facility_gantt(request("legacy-hall"));
  ASSERT_TRUE(a);
  ASSERT_EQ(a->plans.size(), 5u);  // retrofit, new building, three phases
  for (const auto& p : a->plans) {
    double last = 0;
    for (const auto& t : p.schedule.tasks) {
      EXPECT_GE(t.slack.si(), -1e-3);
      EXPECT_NEAR((t.finish - t.start).si(), t.duration.si(), 1e-3);
      last = std::max(last, t.finish.si());
    }
    EXPECT_NEAR(last, p.schedule.ready.value.si(), 1e-3);
    EXPECT_LE(p.schedule.ready_low, p.schedule.ready.value);
  }
  ASSERT_TRUE(a->retrofit() != nullptr && a->new_build() != nullptr);
  EXPECT_LT(a->retrofit()->schedule.ready.value, a->new_build()->schedule.ready.value);
  ASSERT_TRUE(a->retrofit()->capital_usd && a->new_build()->capital_usd);
  EXPECT_GT(*a->new_build()->capital_usd, *a->retrofit()->capital_usd);
  // What falls short is ordered, each order priced once where a price is known.
  const auto& old = *a->retrofit();
  EXPECT_FALSE(old.unpriced.empty());  // a larger grid connection
  EXPECT_TRUE(a->new_build()->unpriced.empty());
  EXPECT_TRUE(a->new_build()->gear.empty());
  ASSERT_GE(old.gear.size(), 4u);
  for (const auto& g : old.gear) {
    EXPECT_GT(g.usd, 0) << g.limit;
    EXPECT_FALSE(g.source.empty()) << g.limit;
    EXPECT_EQ(std::count_if(old.gear.begin(), old.gear.end(),
                            [&](const auto& x) { return x.action == g.action; }),
              1);
  }
  EXPECT_NEAR(*old.total_usd(), *old.capital_usd + old.gear_usd(), 1e-6);
  EXPECT_FALSE(old.published_usd);             // room air
  EXPECT_TRUE(a->plans.back().published_usd);  // 130 kW on plates
  EXPECT_NEAR(*a->plans.back().published_usd, 2 * a->plans.back().it_max_w, 1);
}

TEST(FacilityGantt, AWantedDateThatIsMissedIsSaid) {
  auto r = request("legacy-hall");
  r.sets = {"site.start=2026-12-01", "site.need_by=2027-03-01"};
  const auto late = facility_gantt(r);
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->in_time());
  EXPECT_GT(late->plans.front().late_days, 300);
  EXPECT_NE(report::gantt_text(*late, {}).find("days after the day it is needed"),
            std::string::npos);
  r.sets = {"site.start=2026-12-01", "site.need_by=2040-01-01"};
  const auto ample = facility_gantt(r);
  ASSERT_TRUE(ample);
  EXPECT_TRUE(ample->in_time());
}

TEST(FacilityLayout, TheBuildingsAreaIsALimitOfItsOwn) {
  auto r = request("nvl72-row");
  r.sets = {"building.area=150 m2"};
  const auto small = facility_layout(r);
  ASSERT_TRUE(small && small->area);
  EXPECT_EQ(small->area->id, "building.area");
  EXPECT_FALSE(small->area->holds());
  EXPECT_FALSE(small->holds());
  r.sets = {"building.area=900 m2"};
  const auto large = facility_layout(r);
  ASSERT_TRUE(large && large->area);
  EXPECT_TRUE(large->area->holds());
  EXPECT_FALSE(facility_layout(request("nvl72-row"))->area);
}

TEST(FacilityGantt, ANewCampusIsComparedWithAStandingHall) {
  const auto a = facility_gantt(request("campus-100k"));
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->plans[0].retrofit);
  EXPECT_TRUE(a->plans[1].retrofit);
  EXPECT_FALSE(facility_gantt(request("nowhere")));
}

}  // namespace
}  // namespace headroom::api
