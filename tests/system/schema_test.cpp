// `headroom schema` against what the reader takes: every scenario and every
// catalogue entry in the tree is valid by its schema, and typical mistakes are
// not. What `--json` prints is valid by verdict.schema.json.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "report/report.hpp"
#include "spec/node.hpp"
#include "system/scenarios.hpp"

namespace headroom::system_test {
namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

/// A JSON Schema; `mistakes` says what is wrong with a document, one a line.
class Validator {
 public:
  explicit Validator(const Json& schema) {
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(Adapter(schema), schema_);
  }

  std::string mistakes(const Json& document) const {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema_, Adapter(document), &results)) return "";
    std::string out;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      for (const auto& part : error.context) out += part;
      out += ": " + error.description + "\n";
    }
    return out;
  }

 private:
  valijson::Schema schema_;
};

Validator schema_of(const std::string& what) { return Validator(Json::parse(*api::schema(what))); }

/// A plain scalar as YAML's core schema types it, so that editors see the same.
Json typed(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  if (text.empty() || (std::isdigit(static_cast<unsigned char>(text[0])) == 0 && text[0] != '-'))
    return text;
  long long whole = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, whole).ptr == end) return whole;
  double number = 0;
  if (std::from_chars(text.data(), end, number).ptr == end) return number;
  return text;
}

Json to_json(const spec::Node& node) {
  switch (node.kind) {
    case spec::Node::Kind::null:
      return nullptr;
    case spec::Node::Kind::scalar:
      return node.quoted ? Json(node.text) : typed(node.text);
    case spec::Node::Kind::sequence: {
      Json out = Json::array();
      for (const auto& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case spec::Node::Kind::map:
      break;
  }
  Json out = Json::object();
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    out[node.items[i].text] = to_json(node.items[i + 1]);
  }
  return out;
}

Json yaml_file(const std::string& file) {
  Diagnostics diagnostics;
  const auto document = spec::load_yaml(file, diagnostics);
  EXPECT_TRUE(document) << render(diagnostics);
  return document ? to_json(document->root) : Json();
}

class SchemaScenario : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Schema, SchemaScenario, testing::ValuesIn(scenario_files()),
                         [](const auto& info) { return parameter_name(stem(info.param)); });

TEST_P(SchemaScenario, FileIsValid) {
  EXPECT_EQ(schema_of("scenario").mistakes(yaml_file(GetParam())), "");
}

TEST_P(SchemaScenario, VerdictIsValid) {
  std::ifstream in(HEADROOM_SOURCE_DIR "/tests/system/verdict.schema.json");
  const Validator validator(Json::parse(in));
  const auto& verdict = verdict_of(GetParam());
  ASSERT_TRUE(verdict) << render(verdict.error());
  const Json document = Json::parse(report::json(*verdict));
  EXPECT_EQ(validator.mistakes(document), "");
  if (!document["margins"].empty()) {
    EXPECT_EQ(document["binding"], document["margins"][0]["id"]);
  }
}

TEST(Schema, RefusesTypicalMistakes) {
  const Validator validator = schema_of("scenario");
  const Json good = yaml_file(scenario_files().front());
  ASSERT_EQ(validator.mistakes(good), "");
  const auto spoilt = [&](auto&& spoil) {
    Json bad = good;
    spoil(bad);
    return validator.mistakes(bad);
  };
  EXPECT_NE(spoilt([](Json& j) { j["powr"] = Json::object(); }), "") << "unknown key";
  EXPECT_NE(spoilt([](Json& j) { j.erase("name"); }), "") << "required key";
  EXPECT_NE(spoilt([](Json& j) { j["clusters"] = "gpu"; }), "") << "a word for a list";
  EXPECT_NE(spoilt([](Json& j) { j["clusters"][0].erase("system"); }), "")
      << "required key in a list";
  EXPECT_NE(spoilt([](Json& j) {
              j["clusters"][0]["count"] = {{"low", 1}, {"hihg", 2}};
            }),
            "")
      << "range";
  EXPECT_NE(spoilt([](Json& j) { j["as_of"] = "tomorrow"; }), "") << "date";
  EXPECT_NE(spoilt([](Json& j) { j["power"] = {{"grid", {{"capacity", 5}}}}; }), "") << "no unit";
}

// Every entry under data/catalog, by the schema of its kind. `source` names the
// default source below it and belongs to the file format, not to the kind.
void drop_sources(Json& json) {
  if (json.is_object()) json.erase("source");
  for (auto& item : json) {
    if (item.is_structured()) drop_sources(item);
  }
}

TEST(Schema, CatalogueEntriesAreValid) {
  namespace fs = std::filesystem;
  std::vector<std::string> ids;
  for (const auto& kind : fs::directory_iterator(HEADROOM_SOURCE_DIR "/data/catalog")) {
    if (!kind.is_directory()) continue;
    const Validator validator = schema_of(kind.path().filename().string());
    for (const auto& file : fs::directory_iterator(kind.path())) {
      Json document = yaml_file(file.path().string());
      for (auto& entry : document["entries"]) {
        drop_sources(entry);
        EXPECT_EQ(validator.mistakes(entry), "") << file.path() << ": " << entry.value("id", "");
        ids.push_back(kind.path().filename().string() + " " + entry.value("id", ""));
      }
    }
  }
  EXPECT_GT(ids.size(), 100u);
  // Of two entries of one id the second would never be seen.
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  EXPECT_EQ(twice, ids.end()) << *twice;
}

}  // namespace
}  // namespace headroom::system_test
