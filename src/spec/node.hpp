// Node: a YAML document as a tree with marks, the only form in which this
// project sees YAML. The parser (yaml-cpp) stays behind node.cpp.
//
// What the parser would let through is refused here, at line:column:
// duplicate keys, merge keys (<<), aliases beyond a budget (YAML bombs), nesting
// beyond `max_depth`, files beyond `max_bytes`, NUL bytes and broken UTF-8.
// Only the core of YAML is meant: maps, lists, scalars. Scalars stay text until
// a field list says what they are, so `no` is never a boolean by accident.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.hpp"

namespace headroom::spec {

struct Node {
  enum class Kind : unsigned char { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool quoted = false;  ///< scalar in quotes: never a number's unit-less shorthand
  int line = 0, column = 0;
  std::string text;         ///< scalar
  std::vector<Node> items;  ///< sequence: elements; map: key, value, key, value ...

  /// Value of a key of a map, or nullptr.
  const Node* get(std::string_view key) const;
  Node* get(std::string_view key);
};

struct Document {
  std::shared_ptr<const std::string> file;  ///< name for messages
  std::shared_ptr<const std::string> text;  ///< for excerpts; may be null
  Node root;

  /// Line `line` (1-based) of the text, without its end; empty when unknown.
  std::string line_text(int line) const;
};

inline constexpr std::size_t max_bytes = 4u << 20;
inline constexpr int max_depth = 64;
inline constexpr std::size_t max_nodes = 200'000;

/// Parses a text. On mistakes: diagnostics, and nothing.
std::optional<Document> parse_yaml(std::string file_name, std::string text,
                                   Diagnostics& diagnostics);
/// Reads and parses a file; "-" is standard input, or the thread's TextInput.
std::optional<Document> load_yaml(const std::string& path, Diagnostics& diagnostics);

/// While it lives, "-" on this thread is this text under this name: for callers that hold a
/// scenario which is no file (Python, the page). The innermost of several counts.
class TextInput {
 public:
  TextInput(std::string name, std::string text);
  ~TextInput();
  TextInput(const TextInput&) = delete;
  TextInput& operator=(const TextInput&) = delete;

  /// The thread's, or null.
  static const TextInput* current();
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

 private:
  std::string name_, text_;
  const TextInput* outer_;
};

/// Replaces or adds one value: "clusters.gpu.count=256". Elements of lists are
/// named by index (`clusters.0`, `clusters[0]`) or by their `name` or `id`. The value
/// is a YAML fragment.
bool apply_set(Document& document, const std::string& assignment, Diagnostics& diagnostics);

/// Compact binary form, for the compiled-in catalogue.
void pack(const Node& node, std::string& out);
/// Reads one node; advances `at`. The input is trusted (we packed it).
Node unpack(std::string_view packed, std::size_t& at);

}  // namespace headroom::spec
