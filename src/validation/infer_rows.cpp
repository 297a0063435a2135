#include "validation/infer_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "spec/node.hpp"

namespace headroom::validation {
namespace {

using spec::Node;

/// Scalars of a map and of the maps in it, as "outer.inner"; lists are left out.
void flatten(const Node& map, const std::string& prefix, Facts& out) {
  constexpr std::size_t deepest = 200;  // of a prefix: nobody nests further in earnest
  if (map.kind != Node::Kind::map || prefix.size() > deepest) return;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const auto& key = map.items[i].text;
    const auto& value = map.items[i + 1];
    if (value.kind == Node::Kind::scalar) out.set(prefix + key, value.text);
    if (value.kind == Node::Kind::map) flatten(value, prefix + key + ".", out);
  }
}

InferRow base_row(const Node& n, const std::string& file) {
  InferRow r;
  flatten(n, "", r.facts);
  r.id = r.facts.text("id"), r.file = file, r.line = n.line;
  if (r.id.empty()) r.id = fmt::format("{}:{}", file, n.line);
  return r;
}

void read_stages(const Node& stages, const InferRow& run, InferRows& out) {
  int number = 0;
  for (const auto& s : stages.items) {
    InferRow r = run;
    r.layout = InferLayout::open_loop, r.stage = number++, r.line = s.line;
    r.id = fmt::format("{}/{}", run.id, number);
    if (s.kind != Node::Kind::map) {
      out.skipped.push_back({r.id, r.source, "a stage that is not a map of values"});
      continue;
    }
    flatten(s, "stage.", r.facts);
    out.rows.push_back(std::move(r));
  }
  if (number == 0) out.skipped.push_back({run.id, run.source, "no stages"});
}

std::string shown_name(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

void InferRows::append(InferRows other) {
  std::move(other.rows.begin(), other.rows.end(), std::back_inserter(rows));
  std::move(other.skipped.begin(), other.skipped.end(), std::back_inserter(skipped));
}

Result<InferRows> parse_infer_rows(const std::string& name, std::string text) {
  Diagnostics mistakes;
  const auto document = spec::parse_yaml(name, std::move(text), mistakes);
  if (!document) return failure(std::move(mistakes));
  const Node* list = document->root.get("rows");
  if (list == nullptr || list->kind != Node::Kind::sequence)
    return failure({name, 1, 1, "", "no list 'rows'",
                    "expected measured.yaml's layout (rows), open_loop.yaml's (rows with stages) "
                    "or a folder with meta.json, config.json and requests.jsonl.gz",
                    ""});
  InferRows out;
  for (const auto& n : list->items) {
    if (n.kind != Node::Kind::map) {
      out.skipped.push_back({fmt::format("{}:{}", name, n.line), "?", "not a map of values"});
      continue;
    }
    auto row = base_row(n, name);
    const Node* stages = n.get("stages");
    row.source = row.facts.text("src");
    if (row.source.empty()) row.source = stages != nullptr ? "open-loop" : shown_name(name);
    if (stages != nullptr && stages->kind == Node::Kind::sequence)
      read_stages(*stages, row, out);
    else
      out.rows.push_back(std::move(row));
  }
  return out;
}

Result<InferRows> read_infer_rows(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure({path, 0, 0, "", "cannot be read", "", ""});
  // A folder opens and fails on reading, which << turns into a state.
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || (!text && file.peek() != std::ifstream::traits_type::eof()))
    return failure({path, 0, 0, "", "cannot be read", "", ""});
  return parse_infer_rows(path, text.str());
}

Result<InferRows> read_infer_files(const std::vector<std::string>& files) {
  InferRows all;
  Diagnostics mistakes;
  for (const auto& file : files) {
    auto rows = read_infer_rows(file);
    if (rows)
      all.append(std::move(*rows));
    else
      mistakes.add(rows.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return all;
}

}  // namespace headroom::validation
