#include "spec/schema.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "spec/walk.hpp"

namespace headroom::spec {
namespace {

using Json = nlohmann::ordered_json;

constexpr double unbounded = 1e299;

std::string bounds_text(const Info& info) {
  std::string out;
  if (info.low_open) {
    out = "above " + format_number(info.low);
  } else if (info.low > -unbounded && info.low != 0) {
    out = "at least " + format_number(info.low);
  }
  if (info.high < unbounded)
    out += (out.empty() ? "" : ", ") + ("at most " + format_number(info.high));
  return out;
}

class SchemaWriter : public Fields {
 public:
  Json take() {
    Json object = {
        {"type", "object"}, {"additionalProperties", false}, {"properties", properties_}};
    if (!required_.empty()) object["required"] = required_;
    if (shorthand_.empty()) return object;
    return {{"anyOf", Json::array({{{"type", Json::array({"string", "number"})}}, object})}};
  }

  static Json of(ObjectRef object) {
    SchemaWriter writer;
    object.describe(object.object, writer);
    return writer.take();
  }

  void shorthand(std::string_view key) override { shorthand_ = key; }
  void elsewhere(std::string_view key, std::string_view doc) override {
    put({key, "", doc}, {{"type", "object"}});
  }
  // What one kind must have another may not know, and nothing says where a kind's fields end: from
  // the first variant on the schema asks for no key; the reader does.
  bool variant(std::string_view, bool) override { return in_variants_ = true; }

 protected:
  void on_number(const Info& info, Number&, Dim dim, bool absolute) override {
    Json field = ref(dim == Dim{} && !absolute ? "number" : "quantity");
    field["x-unit"] = info.unit.empty() ? "1" : std::string(info.unit);
    field["x-dimension"] = absolute ? "a temperature" : dimension_name(dim);
    if (info.low > -unbounded) field["x-minimum"] = info.low;
    if (info.high < unbounded) field["x-maximum"] = info.high;
    put(info, std::move(field));
  }
  void on_bank(const Info& info, int&, Number&, Dim dim) override {
    Json field = ref("bank");
    field["x-unit"] = info.unit;
    field["x-dimension"] = dimension_name(dim);
    put(info, std::move(field));
  }
  void on_integer(const Info& info, int& v) override {
    Json field = {{"type", "integer"}, {"default", v}};
    if (info.low > -unbounded) field["minimum"] = info.low;
    if (info.high < unbounded) field["maximum"] = info.high;
    put(info, std::move(field));
  }
  void on_flag(const Info& info, bool& v) override {
    put(info, {{"anyOf", Json::array({{{"type", "boolean"}}, {{"enum", {"yes", "no"}}}})},
               {"default", v}});
  }
  void on_text(const Info& info, std::string&) override {
    put(info, {{"type", Json::array({"string", "number"})}});
  }
  void on_texts(const Info& info, std::vector<std::string>&) override {
    put(info, {{"anyOf", Json::array({{{"type", "string"}},
                                      {{"type", "array"}, {"items", {{"type", "string"}}}}})}});
  }
  void on_date(const Info& info, std::string&) override {
    put(info, {{"type", "string"}, {"pattern", "^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$"}});
  }
  void on_choice(const Info& info, int& index, std::span<const std::string_view> names) override {
    Json list = Json::array();
    for (auto name : names) list.push_back(std::string(name));
    put(info, {{"enum", list}, {"default", list[static_cast<std::size_t>(index)]}});
  }
  void on_reference(const Info& info, std::string&, std::string_view kind) override {
    put(info, {{"type", "string"}, {"x-catalog", std::string(kind)}});
  }
  void on_object(const Info& info, ObjectRef object) override { put(info, of(object)); }
  void on_optional_object(const Info& info, void*, bool, ObjectRef (*)(void*),
                          ObjectRef (*prototype)()) override {
    put(info, of(prototype()));
  }
  void on_list(const Info& info, ListRef list) override {
    put(info, {{"type", "array"}, {"items", of(list.prototype())}});
  }

 private:
  static Json ref(const std::string& name) {
    return {{"allOf", Json::array({{{"$ref", "#/definitions/" + name}}})}};
  }
  void put(const Info& info, Json field) {
    Json out = {{"description", std::string(info.doc)}};
    out.update(field);
    properties_[std::string(info.key)] = std::move(out);
    if (info.is_required && !in_variants_) required_.push_back(std::string(info.key));
  }

  Json properties_ = Json::object();
  Json required_ = Json::array();
  bool in_variants_ = false;
  std::string shorthand_;
};

/// The forms every number may take; see reader.hpp.
Json number_definitions() {
  const Json text = {{"type", "string"}};
  const Json value = {{"type", Json::array({"string", "number"})}};
  auto map_of = [&](std::initializer_list<const char*> keys) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const char* key : keys) {
      properties[key] = value;
      required.push_back(key);
    }
    return Json{{"type", "object"},
                {"additionalProperties", false},
                {"properties", properties},
                {"required", required}};
  };
  auto named = [&](const char* name, const Json& body) {
    return Json{{"type", "object"},
                {"additionalProperties", false},
                {"properties", {{name, body}}},
                {"required", Json::array({name})}};
  };
  const Json spreads = Json::array(
      {map_of({"low", "likely", "high"}), named("uniform", map_of({"low", "high"})),
       named("triangular", map_of({"low", "likely", "high"})),
       named("normal", map_of({"mean", "sd"})), named("lognormal", map_of({"median", "p90"}))});
  auto with = [&](const Json& first, const char* description) {
    Json forms = Json::array({first});
    for (const auto& spread : spreads) forms.push_back(spread);
    return Json{{"description", description}, {"anyOf", forms}};
  };
  return {{"quantity", with(text, "A number with its unit, a range or a distribution")},
          {"number", with(value, "A pure number, a range or a distribution")},
          {"bank", with(text, "A number of equal units: '3 x 500 kW'")}};
}

/// One table a struct; nested structs follow as sections.
class PageWriter : public Fields {
 public:
  explicit PageWriter(std::string path) : path_(std::move(path)) {}

  std::string take() {
    std::string out = "| key | form | default | meaning |\n|---|---|---|---|\n" + rows_;
    for (const auto& section : sections_) out += section;
    return out;
  }

  void elsewhere(std::string_view key, std::string_view doc) override {
    row({key, "", doc}, "map", "");
  }
  void shorthand(std::string_view key) override {
    rows_ += "| *(bare value)* | | | same as `" + std::string(key) + "` |\n";
  }
  bool variant(std::string_view name, bool) override {
    rows_ += "| | | | *for kind* `" + std::string(name) + "`: |\n";
    return true;
  }

 protected:
  void on_number(const Info& info, Number& v, Dim, bool) override {
    const std::string form =
        info.unit.empty() || info.unit == "1" ? "number" : std::string(info.unit);
    std::string initial;
    if (v.given) {
      initial = number_text(v, info.unit);
      if (v.origin.source) initial += " (" + describe(*v.origin.source) + ")";
    }
    row(info, form, initial);
  }
  void on_bank(const Info& info, int& count, Number& each, Dim) override {
    row(info, "n x " + std::string(info.unit),
        each.given ? std::to_string(count) + " x " + number_text(each, info.unit) : "");
  }
  void on_integer(const Info& info, int& v) override { row(info, "integer", std::to_string(v)); }
  void on_flag(const Info& info, bool& v) override {
    row(info, "true, false", v ? "true" : "false");
  }
  void on_text(const Info& info, std::string& v) override { row(info, "text", v); }
  void on_texts(const Info& info, std::vector<std::string>&) override {
    row(info, "list of texts", "");
  }
  void on_date(const Info& info, std::string& v) override { row(info, "date", v); }
  void on_choice(const Info& info, int& index, std::span<const std::string_view> names) override {
    std::string form;
    for (auto name : names) form += (form.empty() ? "`" : ", `") + std::string(name) + "`";
    row(info, form, std::string(names[static_cast<std::size_t>(index)]));
  }
  void on_reference(const Info& info, std::string& id, std::string_view kind) override {
    row(info, "id of a `" + std::string(kind) + "`", id);
  }
  void on_object(const Info& info, ObjectRef object) override { nested(info, "map", object); }
  void on_optional_object(const Info& info, void*, bool, ObjectRef (*)(void*),
                          ObjectRef (*prototype)()) override {
    nested(info, "map, optional", prototype());
  }
  void on_list(const Info& info, ListRef list) override { nested(info, "list", list.prototype()); }

 private:
  static std::string escaped(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
      text.insert(at, "\\");
    }
    return text;
  }
  void row(const Info& info, const std::string& form, const std::string& initial) {
    std::string meaning = escaped(std::string(info.doc));
    const std::string bounds = bounds_text(info);
    if (!bounds.empty()) meaning += " (" + bounds + ")";
    rows_ += "| `" + std::string(info.key) + "` | " + form + " | " +
             (info.is_required ? "*required*" : escaped(initial)) + " | " + meaning + " |\n";
  }
  void nested(const Info& info, const std::string& form, ObjectRef object) {
    const std::string path =
        path_.empty() ? std::string(info.key) : path_ + "." + std::string(info.key);
    row(info, form, "");
    PageWriter inner(path);
    object.describe(object.object, inner);
    sections_.push_back("\n## `" + path + "`\n\n" + escaped(std::string(info.doc)) + ".\n\n" +
                        inner.take());
  }

  std::string path_;
  std::string rows_;
  std::vector<std::string> sections_;
};

}  // namespace

std::string json_schema(ObjectRef object, const std::string& id, const std::string& title) {
  Json schema = {
      {"$schema", "http://json-schema.org/draft-07/schema#"}, {"$id", id}, {"title", title}};
  schema.update(SchemaWriter::of(object));
  schema["definitions"] = number_definitions();
  return schema.dump(2) + "\n";
}

std::string reference_page(ObjectRef object, const std::string& title,
                           const std::string& introduction) {
  PageWriter writer("");
  object.describe(object.object, writer);
  return "<!-- Generated by `headroom schema --docs`; edit the field lists instead. -->\n# " +
         title + "\n\n" + introduction + "\n\n" + writer.take();
}

}  // namespace headroom::spec
