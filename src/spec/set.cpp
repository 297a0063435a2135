#include <algorithm>
#include <sstream>

#include "spec/node.hpp"
#include "spec/number_text.hpp"

namespace headroom::spec {
namespace {

/// "clusters[0].count" is "clusters.0.count".
std::vector<std::string> split_path(std::string path) {
  std::vector<std::string> parts;
  std::replace(path.begin(), path.end(), '[', '.');
  path.erase(std::remove(path.begin(), path.end(), ']'), path.end());
  std::stringstream in(path);
  for (std::string part; std::getline(in, part, '.');) parts.push_back(part);
  return parts;
}

/// The element of a list that an index, a `name` or an `id` names.
Node* find_element(Node& list, const std::string& part) {
  for (auto& item : list.items) {
    for (const char* key : {"name", "id"}) {
      const Node* label = item.get(key);
      if (label != nullptr && label->text == part) return &item;
    }
  }
  const bool index =
      !part.empty() && part.size() < 7 &&
      std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!index || std::stoul(part) >= list.items.size()) return nullptr;
  return &list.items[std::stoul(part)];
}

std::vector<std::string> element_names(const Node& node) {
  std::vector<std::string> names;
  if (node.kind == Node::Kind::map) {
    for (std::size_t i = 0; i < node.items.size(); i += 2) names.push_back(node.items[i].text);
    return names;
  }
  for (const auto& item : node.items) {
    for (const char* key : {"name", "id"}) {
      if (const Node* label = item.get(key)) names.push_back(label->text);
    }
  }
  return names;
}

/// Names split at dots may themselves hold dots ("llama-3.1"): the longest run of
/// parts that names a child wins.
Node* descend(Node& node, const std::vector<std::string>& parts, std::size_t& at) {
  for (std::size_t end = parts.size(); end > at; --end) {
    std::string joined = parts[at];
    for (std::size_t i = at + 1; i < end; ++i) joined += "." + parts[i];
    Node* child = node.kind == Node::Kind::sequence ? find_element(node, joined) : node.get(joined);
    if (child != nullptr) {
      at = end;
      return child;
    }
  }
  return nullptr;
}

Node* add_key(Node& map, const std::string& key) {
  if (map.kind == Node::Kind::null) map.kind = Node::Kind::map;
  if (map.kind != Node::Kind::map) return nullptr;
  Node key_node;
  key_node.kind = Node::Kind::scalar;
  key_node.text = key;
  key_node.column = 1;  // see mark_all
  map.items.push_back(std::move(key_node));
  map.items.emplace_back().column = 1;
  return &map.items.back();
}

void mark_all(Node& node, int line, int column_shift) {
  node.line = line;
  node.column += column_shift;
  for (auto& item : node.items) mark_all(item, line, column_shift);
}

}  // namespace

bool apply_set(Document& document, const std::string& assignment, Diagnostics& diagnostics) {
  const std::size_t equals = assignment.find('=');
  auto fail = [&](std::string message, std::string hint = {}) {
    diagnostics.add(
        {"--set " + shown(assignment), 0, 0, "", std::move(message), std::move(hint), ""});
    return false;
  };
  if (equals == std::string::npos || equals == 0) {
    return fail("expected path=value", "for example --set clusters.gpu.count=256");
  }
  const auto parts = split_path(assignment.substr(0, equals));
  if (parts.size() > static_cast<std::size_t>(max_depth)) return fail("the path is too long");
  auto value = parse_yaml("--set " + shown(assignment.substr(0, equals)),
                          assignment.substr(equals + 1), diagnostics);
  if (!value) return false;
  Node* node = &document.root;
  std::size_t at = 0;
  while (at < parts.size()) {
    Node* child = descend(*node, parts, at);
    if (child == nullptr) {
      if (node->kind == Node::Kind::sequence || node->kind == Node::Kind::scalar) {
        return fail("nothing is called '" + shown(parts[at]) + "' here",
                    did_you_mean(parts[at], element_names(*node)));
      }
      child = add_key(*node, parts[at]);
      ++at;
    }
    node = child;
  }
  // The mark keeps the column inside the fragment; line 0 says "no line of the file".
  mark_all(value->root, 0, 0);
  *node = std::move(value->root);
  return true;
}

}  // namespace headroom::spec
