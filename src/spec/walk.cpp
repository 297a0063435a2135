#include "spec/walk.hpp"

#include <fmt/core.h>

#include "base/units.hpp"

namespace headroom::spec {
namespace {

class Walker : public Fields {
 public:
  std::vector<Leaf> out;

  void walk(ObjectRef object) { object.describe(object.object, *this); }

 protected:
  void on_number(const Info& info, Number& number, Dim dim, bool absolute) override {
    if (!number.given) return;
    Leaf leaf = make(info, number_text(number, info.unit));
    leaf.dim = dim;
    leaf.absolute_temperature = absolute;
    leaf.number = &number;
    out.push_back(std::move(leaf));
  }
  void on_bank(const Info& info, int& count, Number& each, Dim dim) override {
    if (!each.given) return;
    Leaf leaf = make(info, std::to_string(count) + " x " + number_text(each, info.unit));
    leaf.dim = dim;
    leaf.number = &each;
    leaf.count = count;
    out.push_back(std::move(leaf));
  }
  void on_integer(const Info& info, int& v) override {
    out.push_back(make(info, std::to_string(v)));
  }
  void on_flag(const Info& info, bool& v) override {
    out.push_back(make(info, v ? "true" : "false"));
  }
  void on_text(const Info& info, std::string& v) override {
    if (!v.empty()) out.push_back(make(info, v));
  }
  void on_texts(const Info& info, std::vector<std::string>& v) override {
    if (v.empty()) return;
    std::string text;
    for (const auto& word : v) text += (text.empty() ? "" : ", ") + word;
    out.push_back(make(info, text));
  }
  void on_date(const Info& info, std::string& v) override { on_text(info, v); }
  void on_choice(const Info& info, int& index, std::span<const std::string_view> names) override {
    out.push_back(make(info, std::string(names[static_cast<std::size_t>(index)])));
  }
  void on_reference(const Info& info, std::string& id, std::string_view) override {
    if (!id.empty()) out.push_back(make(info, id));
  }
  void on_object(const Info& info, ObjectRef object) override { nested(info.key, object); }
  void on_optional_object(const Info& info, void* slot, bool present,
                          ObjectRef (*make_object)(void*), ObjectRef (*)()) override {
    if (present) nested(info.key, make_object(slot));
  }
  void on_list(const Info& info, ListRef list) override {
    for (std::size_t i = 0; i < list.size(list.list); ++i) {
      const ObjectRef element = list.at(list.list, i);
      nested(std::string(info.key) + "." + element_name(element, i), element);
    }
  }

 private:
  Leaf make(const Info& info, std::string text) const {
    Leaf leaf;
    leaf.path = prefix_ + std::string(info.key);
    leaf.unit = info.unit;
    leaf.doc = info.doc;
    leaf.text = std::move(text);
    return leaf;
  }

  void nested(std::string_view key, ObjectRef object) {
    const std::size_t size = prefix_.size();
    prefix_ += std::string(key) + ".";
    object.describe(object.object, *this);
    prefix_.resize(size);
  }

  static std::string element_name(ObjectRef element, std::size_t index) {
    Walker inner;
    inner.walk(element);
    for (const auto& leaf : inner.out) {
      if (leaf.path == "name" || leaf.path == "id" || leaf.path == "precision") return leaf.text;
    }
    return std::to_string(index);
  }

  std::string prefix_;
};

std::string in_unit(double si, std::string_view unit) {
  const auto parsed = parse_unit(unit);
  const double value = parsed ? (si - parsed->offset) / parsed->factor : si;
  // 15 digits: short, and exact enough to read back the same figure.
  std::string out = fmt::format("{:.15g}", value);
  if (!unit.empty() && unit != "1") out += " " + std::string(unit);
  return out;
}

}  // namespace

std::string number_text(const Number& number, std::string_view unit) {
  const std::string likely = in_unit(number.likely, unit);
  if (!number.ranged()) return likely;
  const std::string low = in_unit(number.low, unit);
  const std::string high = in_unit(number.high, unit);
  const auto three = [&] {
    return "{low: " + low + ", likely: " + likely + ", high: " + high + "}";
  };
  constexpr double z90 = 1.2815515655446004;
  switch (number.shape) {
    case Shape::uniform:
      return "{uniform: {low: " + low + ", high: " + high + "}}";
    case Shape::triangular:
      return "{triangular: " + three() + "}";
    case Shape::normal: {
      const auto parsed = parse_unit(unit);
      const double sd = (number.likely - number.low) / z90 / (parsed ? parsed->factor : 1);
      const bool absolute = parsed && parsed->absolute;
      return fmt::format(
          "{{normal: {{mean: {}, sd: {:.15g}{}}}}}", likely, sd,
          unit.empty() || unit == "1" ? "" : " " + std::string(absolute ? "K" : unit));
    }
    case Shape::lognormal:
      return "{lognormal: {median: " + likely + ", p90: " + high + "}}";
    default:
      return three();
  }
}

std::vector<Leaf> leaves(ObjectRef object) {
  Walker walker;
  if (object.object != nullptr) walker.walk(object);
  return std::move(walker.out);
}

}  // namespace headroom::spec
