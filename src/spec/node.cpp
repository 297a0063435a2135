#include "spec/node.hpp"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <unordered_map>

#include "spec/number_text.hpp"

namespace headroom::spec {

const Node* Node::get(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

Node* Node::get(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->get(key));
}

std::string Document::line_text(int line) const {
  if (!text || line <= 0) return {};
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) {
    at = text->find('\n', at);
    if (at == std::string::npos) return {};
    ++at;
  }
  std::string out = text->substr(at, std::min<std::size_t>(text->find('\n', at) - at, 4096));
  if (!out.empty() && out.back() == '\r') out.pop_back();
  return out;
}

namespace {

// Text of all values with aliases expanded; a file itself has at most max_bytes.
constexpr std::size_t max_expanded_bytes = 16u << 20;

// The parser takes the end of the file for the end of a quote. This comment, set
// behind the text, then stands inside the quoted value.
constexpr std::string_view end_of_text = "# end of the text, added by headroom";

struct Stop {
  YAML::Mark mark;
  std::string message;
};

/// Builds the tree from parser events, refusing what we do not accept. Children
/// are kept on a stack of open nodes, so depth costs no recursion here.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }

  /// What the parser complains about, in a person's words and at the place where
  /// that person would look.
  Stop explain(const YAML::Exception& e) const {
    if (e.msg.find("flow not found") != std::string::npos && !stack_.empty()) {
      const bool list = stack_.back().node.kind == Node::Kind::sequence;
      return {stack_.back().mark, std::string("this '") + (list ? "[" : "{") + "' is not closed"};
    }
    if (e.msg == "end of map not found" || e.msg == "end of sequence not found") {
      return {e.mark, "not valid YAML: this line does not line up with those above it"};
    }
    return {e.mark, "not valid YAML: " + e.msg};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(Node::Kind::null, mark), anchor, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      throw Stop{mark, "an alias (*) to an anchor that is still open or unknown"};
    }
    // Expanding an alias costs its whole size, so nested bombs run out at once.
    spend(size_of(it->second), mark);
    finish(it->second, 0, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.find(end_of_text) != std::string::npos) throw Stop{mark, "this quote is not closed"};
    Node node = make(Node::Kind::scalar, mark);
    spend({0, value.size()}, mark);
    node.text = value;
    node.quoted = tag == "!";
    finish(std::move(node), anchor, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    std::unordered_map<std::string, int> keys;  ///< of a map, with their lines
  };
  struct Size {
    std::size_t nodes = 0, bytes = 0;
  };

  static Size size_of(const Node& node) {
    Size sum{1, node.text.size()};
    for (const auto& item : node.items) {
      const Size one = size_of(item);
      sum.nodes += one.nodes;
      sum.bytes += one.bytes;
    }
    return sum;
  }

  void spend(Size more, const YAML::Mark& mark) {
    spent_.nodes += more.nodes;
    spent_.bytes += more.bytes;
    if (spent_.nodes > max_nodes) {
      throw Stop{mark, "the document has over 200,000 values once its aliases (*) are expanded"};
    }
    if (spent_.bytes > max_expanded_bytes) {
      throw Stop{mark, "the document has over 16 MiB of text once its aliases (*) are expanded"};
    }
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    spend({1, 0}, mark);
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= static_cast<std::size_t>(max_depth)) {
      throw Stop{mark, "nested deeper than " + std::to_string(max_depth) + " levels"};
    }
    stack_.push_back({make(kind, mark), anchor, mark, {}});
  }

  void close() {
    Open top = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(top.node), top.anchor, top.mark);
  }

  void finish(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (anchor != 0) {
      spend(size_of(node), mark);  // the copy that aliases are made from
      anchors_[anchor] = node;
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    const bool is_key = parent.node.kind == Node::Kind::map && parent.node.items.size() % 2 == 0;
    if (is_key) check_key(parent, node, mark);
    parent.node.items.push_back(std::move(node));
  }

  void check_key(Open& parent, const Node& key, const YAML::Mark& mark) {
    if (key.kind != Node::Kind::scalar) throw Stop{mark, "a key must be a plain word"};
    if (key.text == "<<") throw Stop{mark, "merge keys (<<) are not supported; write the keys out"};
    const auto [first, is_new] = parent.keys.emplace(key.text, key.line);
    if (is_new) return;
    diagnostics_.add(
        {file_, key.line, key.column, "", "duplicate key '" + shown(key.text) + "'",
         "it was first given at line " + std::to_string(first->second) + "; keep one of the two",
         ""});
  }

  const std::string& file_;
  Diagnostics& diagnostics_;
  Node root_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  Size spent_;
};

/// One file holds one document: what follows '---' would be ignored unseen.
class NoMore : public Builder {
 public:
  using Builder::Builder;
  void OnDocumentStart(const YAML::Mark& mark) override {
    throw Stop{mark, "a second document ('---') begins here; a file holds one"};
  }
};

struct BadByte {
  std::size_t at;
  std::string message;
};

/// First byte that cannot stand in a text file, if any.
std::optional<BadByte> find_bad_byte(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == 0) return BadByte{i, "a NUL byte: this is a binary file, not a text"};
    if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') {
      return BadByte{i, "a control character: this is not a text file"};
    }
    std::size_t more = c < 0x80         ? 0
                       : (c >> 5) == 6  ? 1
                       : (c >> 4) == 14 ? 2
                       : (c >> 3) == 30 ? 3
                                        : 9;
    for (std::size_t k = 1; k <= more; ++k) {
      if (more == 9 || i + k >= text.size() ||
          (static_cast<unsigned char>(text[i + k]) >> 6) != 2) {
        return BadByte{i, "a byte that is not UTF-8: save the file as UTF-8 text"};
      }
    }
    i += more + 1;
  }
  return std::nullopt;
}

/// The parser keeps every open bracket in memory before its first event, so a file
/// of brackets is refused before it is parsed.
std::optional<BadByte> find_bracket_bomb(const std::string& text) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '[' || text[i] == '{') && ++open > max_nodes) {
      return BadByte{i, "over 200,000 lists and maps: this is not a scenario"};
    }
  }
  return std::nullopt;
}

Diagnostic at_offset(const std::string& file, const std::string& text, std::size_t offset,
                     std::string message) {
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(offset);
  const int line = 1 + static_cast<int>(std::count(begin, end, '\n'));
  const std::size_t start = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const auto column = static_cast<int>(start == std::string::npos ? offset + 1 : offset - start);
  return {file, line, column, "", std::move(message), "", ""};
}

/// Editors show a tab as spaces, so nobody sees what is wrong.
std::string tab_hint(const std::string& line) {
  const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
  return indent.find('\t') == std::string::npos ? "" : "a tab indents nothing in YAML; use spaces";
}

/// Passes diagnostics on, with the excerpts they were made without.
void add_with_excerpts(const Diagnostics& from, const Document& document, Diagnostics& to) {
  for (Diagnostic d : from.all()) {
    if (d.excerpt.empty()) d.excerpt = document.line_text(d.line);
    to.add(std::move(d));
  }
}

}  // namespace

std::optional<Document> parse_yaml(std::string file_name, std::string text,
                                   Diagnostics& diagnostics) {
  Document document;
  document.file = std::make_shared<const std::string>(std::move(file_name));
  Diagnostics mine;
  if (auto bad = find_bad_byte(text)) {
    mine.add(at_offset(*document.file, text, bad->at, bad->message));
  } else if (auto bomb = find_bracket_bomb(text)) {
    mine.add(at_offset(*document.file, text, bomb->at, bomb->message));
  } else if (text.size() > max_bytes) {
    mine.add({*document.file, 0, 0, "",
              "the text has " + std::to_string(text.size() >> 20) + " MiB; at most 4 MiB are read",
              "", ""});
  }
  document.text = std::make_shared<const std::string>(std::move(text));
  if (mine.empty()) {
    Builder builder(*document.file, mine);
    try {
      std::istringstream in(*document.text + "\n" + std::string(end_of_text) + "\n");
      YAML::Parser parser(in);
      if (!parser.HandleNextDocument(builder)) {
        mine.add({*document.file, 1, 1, "", "the file is empty", "", ""});
      }
      document.root = builder.take_root();
      NoMore rest(*document.file, mine);
      parser.HandleNextDocument(rest);
    } catch (const Stop& stop) {
      mine.add(
          {*document.file, stop.mark.line + 1, stop.mark.column + 1, "", stop.message, "", ""});
    } catch (const YAML::Exception& e) {
      const Stop stop = builder.explain(e);
      mine.add({*document.file, stop.mark.line + 1, stop.mark.column + 1, "", stop.message,
                tab_hint(document.line_text(stop.mark.line + 1)), ""});
    }
  }
  add_with_excerpts(mine, document, diagnostics);
  if (!mine.empty()) return std::nullopt;
  return document;
}

namespace {

thread_local const TextInput* text_input = nullptr;

Diagnostic too_large(const std::string& name) {
  return {name, 0, 0, "", "the file is larger than 4 MiB, the most that is read", "", ""};
}

}  // namespace

TextInput::TextInput(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)), outer_(text_input) {
  text_input = this;
}

TextInput::~TextInput() { text_input = outer_; }

const TextInput* TextInput::current() { return text_input; }

std::optional<Document> load_yaml(const std::string& path, Diagnostics& diagnostics) {
  if (const TextInput* given = TextInput::current(); given && path == "-") {
    if (given->text().size() <= max_bytes)
      return parse_yaml(given->name(), given->text(), diagnostics);
    diagnostics.add(too_large(given->name()));
    return std::nullopt;
  }
  const std::string name = path == "-" ? "<stdin>" : path;
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    // Opening a folder succeeds on Linux; reading it does not.
    if (!file || (file.peek() == std::char_traits<char>::eof() && file.bad())) {
      diagnostics.add({name, 0, 0, "",
                       "cannot be opened for reading: " + std::string(std::strerror(errno)), "",
                       ""});
      return std::nullopt;
    }
    file.clear();
  }
  std::istream& in = path == "-" ? std::cin : file;
  // In pieces: clearing room for the largest file took longer than most checks.
  constexpr std::size_t piece = 64 << 10;
  std::string text;
  for (std::size_t had = 0; text.size() <= max_bytes; had = text.size()) {
    text.resize(had + piece);
    in.read(text.data() + had, piece);
    text.resize(had + static_cast<std::size_t>(in.gcount()));
    if (text.size() - had < piece) break;
  }
  if (text.size() > max_bytes) {
    diagnostics.add(too_large(name));
    return std::nullopt;
  }
  return parse_yaml(name, std::move(text), diagnostics);
}

namespace {

void put_number(std::string& out, std::uint32_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::uint32_t get_number(std::string_view in, std::size_t& at) {
  std::uint32_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto c = static_cast<unsigned char>(in[at++]);
    value |= static_cast<std::uint32_t>(c & 0x7f) << shift;
    if (c < 0x80) return value;
  }
}

}  // namespace

void pack(const Node& node, std::string& out) {
  out += static_cast<char>(static_cast<int>(node.kind) | (node.quoted ? 0x10 : 0));
  put_number(out, static_cast<std::uint32_t>(node.line));
  put_number(out, static_cast<std::uint32_t>(node.column));
  if (node.kind == Node::Kind::scalar) {
    put_number(out, static_cast<std::uint32_t>(node.text.size()));
    out += node.text;
    return;
  }
  put_number(out, static_cast<std::uint32_t>(node.items.size()));
  for (const auto& item : node.items) pack(item, out);
}

Node unpack(std::string_view packed, std::size_t& at) {
  Node node;
  const auto head = static_cast<unsigned char>(packed[at++]);
  node.kind = static_cast<Node::Kind>(head & 0x0f);
  node.quoted = (head & 0x10) != 0;
  node.line = static_cast<int>(get_number(packed, at));
  node.column = static_cast<int>(get_number(packed, at));
  const std::uint32_t size = get_number(packed, at);
  if (node.kind == Node::Kind::scalar) {
    node.text = packed.substr(at, size);
    at += size;
    return node;
  }
  node.items.reserve(size);
  for (std::uint32_t i = 0; i < size; ++i) node.items.push_back(unpack(packed, at));
  return node;
}

}  // namespace headroom::spec
