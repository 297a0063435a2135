#include "spec/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/units.hpp"
#include "spec/number_text.hpp"

namespace headroom::spec {
namespace {

// Far more halls, clusters or workloads than a person lists; a bound on memory.
constexpr std::size_t max_list = 2000;

const char* kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map of keys";
  }
  return "";
}

class Reader : public Fields {
 public:
  Reader(const ReadContext& context, Diagnostics& diagnostics, std::string path)
      : context_(context), diagnostics_(diagnostics), path_(std::move(path)) {}

  bool failed() const { return failed_; }

  void read_object(const Node& node, ObjectRef object) {
    if (node.kind == Node::Kind::sequence) {
      return fail(node, "expected a map of keys, found a list");
    }
    const SourcePtr outer_source = source_;
    if (context_.source_keys) enter_source(node);
    Frame frame;
    frame.node = &node;
    std::swap(frame_, frame);
    object.describe(object.object, *this);
    report_leftovers();
    std::swap(frame_, frame);
    source_ = outer_source;
  }

  Origin here() const override { return origin_of(*frame_.node); }

  void mistake(std::string_view key, std::string message, std::string hint) override {
    const Node* at = key.empty() ? nullptr : frame_.node->get(key);
    fail(at != nullptr ? *at : *frame_.node, std::move(message), std::move(hint), key);
  }

  void shorthand(std::string_view key) override { frame_.shorthand = key; }
  void elsewhere(std::string_view key, std::string_view) override {
    frame_.known.emplace_back(key);
  }

 protected:
  void on_number(const Info& info, Number& slot, Dim dim, bool absolute) override {
    if (const Node* node = take(info)) {
      Scope scope(*this, info.key);
      read_number_node(*node, info, slot, dim, absolute);
    }
  }

  void on_bank(const Info& info, int& count, Number& each, Dim dim) override {
    const Node* node = take(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    int n = 1;
    Node rating = *node;
    if (node->kind == Node::Kind::scalar) {
      const auto split = split_bank(node->text);
      if (split.count < 1) {
        return fail(*node,
                    "'" + shown(node->text) + "' does not begin with a whole number of units",
                    "write it as '3 x 500 kW'");
      }
      n = split.count;
      rating.text = split.rating;
    }
    count = n;
    read_number_node(rating, info, each, dim, false);
  }

  void on_integer(const Info& info, int& slot) override {
    const Node* node = take_scalar(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    const auto parsed = split_number(strip_source(node->text).text);
    if (!parsed || !parsed->unit.empty() || parsed->number != std::floor(parsed->number) ||
        std::abs(parsed->number) > 2e9) {
      return fail(*node, "'" + shown(node->text) + "' is not a whole number");
    }
    if (in_range(*node, info, parsed->number, "")) slot = static_cast<int>(parsed->number);
  }

  void on_flag(const Info& info, bool& slot) override {
    const Node* node = take_scalar(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    if (node->text == "true" || node->text == "yes") {
      slot = true;
    } else if (node->text == "false" || node->text == "no") {
      slot = false;
    } else {
      fail(*node, "'" + shown(node->text) + "' is neither true nor false");
    }
  }

  void on_text(const Info& info, std::string& slot) override {
    if (const Node* node = take_scalar(info)) slot = node->text;
  }

  void on_texts(const Info& info, std::vector<std::string>& slot) override {
    const Node* node = take(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    slot.clear();
    if (node->kind == Node::Kind::scalar) return slot.push_back(node->text);
    if (node->kind != Node::Kind::sequence) return wrong_kind(*node, "a list of words");
    for (const auto& item : node->items) {
      if (item.kind != Node::Kind::scalar) return wrong_kind(item, "a word");
      slot.push_back(item.text);
    }
  }

  void on_date(const Info& info, std::string& slot) override {
    const Node* node = take_scalar(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    std::string date = node->text;
    if (date.size() == 7) date += "-01";
    if (!is_date(date)) {
      return fail(*node, "'" + shown(node->text) + "' is not a calendar date",
                  "write it as 2027-06-30");
    }
    slot = date;
  }

  void on_choice(const Info& info, int& index, std::span<const std::string_view> names) override {
    const Node* node = take_scalar(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    const auto it = std::find(names.begin(), names.end(), node->text);
    if (it != names.end()) {
      index = static_cast<int>(it - names.begin());
      return;
    }
    std::string list;
    for (auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
    std::string hint = suggestion(node->text, {names.begin(), names.end()});
    fail(*node, "'" + shown(node->text) + "' is not one of: " + list, std::move(hint));
  }

  void on_reference(const Info& info, std::string& id, std::string_view kind) override {
    const Node* node = take_scalar(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    id = node->text;
    if (!context_.has_entry || context_.has_entry(kind, id)) return;
    std::string hint;
    if (context_.entry_ids && !full()) hint = suggestion(id, context_.entry_ids(kind));
    if (hint.empty()) hint = "`headroom catalog " + std::string(kind) + "` lists them";
    fail(*node, "the catalogue has no " + std::string(kind) + " '" + shown(id) + "'",
         std::move(hint));
  }

  void on_object(const Info& info, ObjectRef object) override {
    if (const Node* node = take(info)) {
      Scope scope(*this, info.key);
      read_object(*node, object);
    }
  }

  void on_optional_object(const Info& info, void* slot, bool, ObjectRef (*make)(void*),
                          ObjectRef (*)()) override {
    if (const Node* node = take(info)) {
      Scope scope(*this, info.key);
      read_object(*node, make(slot));
    }
  }

  void on_list(const Info& info, ListRef list) override {
    const Node* node = take(info);
    if (node == nullptr) return;
    Scope scope(*this, info.key);
    if (node->kind != Node::Kind::sequence) {
      return wrong_kind(*node, "a list (lines that begin with '- ')");
    }
    if (node->items.size() > max_list) {
      return fail(*node, "a list of " + format_number(double(node->items.size())) +
                             " elements; at most " + format_number(double(max_list)) + " are read");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = node->items[i];
      const Node* name = item.get("name");
      Scope element(*this, name != nullptr ? shown(name->text) : std::to_string(i));
      if (name != nullptr && !names.insert(name->text).second) {
        fail(*name, "the name '" + shown(name->text) + "' is used twice in this list");
      }
      read_object(item, list.append(list.list));
    }
  }

 private:
  struct Frame {
    const Node* node = nullptr;
    std::vector<std::string> known;  ///< keys the field list asked for
    std::string_view shorthand;
  };

  /// Appends a key to the path for as long as it lives.
  struct Scope {
    Scope(Reader& reader, std::string_view key) : reader(reader), size(reader.path_.size()) {
      if (!reader.path_.empty()) reader.path_ += '.';
      reader.path_ += key;
    }
    ~Scope() { reader.path_.resize(size); }
    Reader& reader;
    std::size_t size;
  };

  Origin origin_of(const Node& node) const {
    Origin origin;
    origin.source = source_ ? source_ : context_.default_source;
    origin.file = context_.file;
    origin.line = node.line;
    origin.column = node.column;
    return origin;
  }

  void fail(const Node& node, std::string message, std::string hint = {},
            std::string_view key = {}) {
    failed_ = true;
    Diagnostic d;
    // What --set wrote has no line of the file.
    d.file = node.line == 0 && node.column > 0 ? "--set" : context_.file ? *context_.file : "";
    d.line = node.line;
    d.column = node.column;
    d.path = path_;
    if (!key.empty()) d.path += (d.path.empty() ? "" : ".") + std::string(key);
    d.message = std::move(message);
    d.hint = std::move(hint);
    if (context_.document != nullptr && !full()) {
      d.excerpt = context_.document->line_text(node.line);
    }
    diagnostics_.add(std::move(d));
  }

  /// Excerpts and suggestions cost time: none for mistakes that nobody will see.
  bool full() const { return diagnostics_.all().size() >= Diagnostics::limit; }

  std::string suggestion(const std::string& word, const std::vector<std::string>& known) const {
    return full() ? std::string() : did_you_mean(word, known);
  }

  void wrong_kind(const Node& node, const std::string& expected) {
    fail(node, "expected " + expected + ", found " + kind_name(node.kind));
  }

  void enter_source(const Node& node) {
    frame_.known.emplace_back("source");
    const Node* key = node.get("source");
    if (key == nullptr) return;
    source_ = find_source(*key, key->text);
  }

  SourcePtr find_source(const Node& node, const std::string& key) {
    const auto it = context_.sources.find(key);
    if (it != context_.sources.end()) return it->second;
    std::vector<std::string> keys;
    for (const auto& [name, source] : context_.sources) keys.push_back(name);
    fail(node, "no source is called '" + shown(key) + "' in this file", suggestion(key, keys));
    return assumed("unknown source");
  }

  /// The node of a field, or null when it is absent (which is a mistake when it
  /// is required).
  const Node* take(const Info& info) {
    frame_.known.emplace_back(info.key);
    const Node* node = frame_.node->get(info.key);
    if (frame_.node->kind == Node::Kind::scalar && info.key == frame_.shorthand) {
      node = frame_.node;
    }
    if (node != nullptr && node->kind == Node::Kind::null) node = nullptr;
    // A word where a map belongs misses every key; report_leftovers says so once.
    const bool no_map = frame_.node->kind == Node::Kind::scalar && frame_.shorthand.empty();
    if (node == nullptr && info.is_required && !no_map) {
      fail(*frame_.node, "'" + std::string(info.key) + "' is missing",
           std::string(info.key) + ": " + std::string(info.doc));
    }
    return node;
  }

  const Node* take_scalar(const Info& info) {
    const Node* node = take(info);
    if (node == nullptr || node->kind == Node::Kind::scalar) return node;
    Scope scope(*this, info.key);
    wrong_kind(*node, "a single value");
    return nullptr;
  }

  void report_leftovers() {
    const Node& node = *frame_.node;
    if (node.kind == Node::Kind::scalar && frame_.shorthand.empty()) {
      return fail(node, "expected a map of keys, found '" + shown(node.text) + "'");
    }
    if (context_.source_keys) frame_.known.emplace_back("source");
    for (std::size_t i = 0; i + 1 < node.items.size() && node.kind == Node::Kind::map; i += 2) {
      const Node& key = node.items[i];
      if (std::find(frame_.known.begin(), frame_.known.end(), key.text) == frame_.known.end()) {
        fail(key, "unknown key", suggestion(key.text, frame_.known), shown(key.text));
      }
    }
  }

  bool in_range(const Node& node, const Info& info, double shown_value, const std::string& unit) {
    const bool low_ok = info.low_open ? shown_value > info.low : shown_value >= info.low - 1e-12;
    if (low_ok && shown_value <= info.high * (1 + 1e-12)) return true;
    const std::string suffix = unit.empty() || unit == "1" ? "" : " " + unit;
    std::string wanted;
    if (!low_ok) {
      wanted = (info.low_open ? "above " : "at least ") + format_number(info.low) + suffix;
    } else {
      wanted = "at most " + format_number(info.high) + suffix;
    }
    fail(node, "'" + shown(node.text) + "' is out of range: it must be " + wanted);
    return false;
  }

  void read_number_node(const Node& node, const Info& info, Number& slot, Dim dim, bool absolute) {
    if (node.kind == Node::Kind::map) return read_spread(node, info, slot, dim, absolute);
    if (node.kind != Node::Kind::scalar) return wrong_kind(node, "a number");
    double si = 0;
    Origin origin = origin_of(node);
    if (!read_scalar(node, info, dim, absolute, si, origin)) return;
    if (!origin.source) {
      return fail(node, "this number has no source",
                  "write '@key' behind it, or give the entry a 'source'");
    }
    slot.fix(si);
    slot.origin = std::move(origin);
  }

  bool read_scalar(const Node& node, const Info& info, Dim dim, bool absolute, double& si,
                   Origin& origin) {
    const SourcedText text = strip_source(node.text);
    if (!text.closed) {
      fail(node,
           "'" + shown(node.text) + "': the bracket behind '@" + shown(text.source) +
               "' is not closed",
           "in {...} a comma ends the value; put all of it in quotes");
      return false;
    }
    if (!text.source.empty()) origin.source = named_source(node, text);
    std::string message;
    std::string hint;
    if (!read_number(text.text, dim, absolute, info.unit, si, message, hint)) {
      fail(node, std::move(message), std::move(hint));
      return false;
    }
    const auto unit = parse_unit(info.unit);
    return in_range(node, info, (si - unit->offset) / unit->factor, std::string(info.unit));
  }

  SourcePtr named_source(const Node& node, const SourcedText& text) {
    if (text.source == "assumed") return assumed(text.reason);
    if (text.source == "recalled") return recalled(text.reason);
    if (!context_.source_keys && context_.sources.empty()) {
      return std::make_shared<Source>(Source{text.source, text.source, "", "", Trust::user});
    }
    return find_source(node, text.source);
  }

  /// {low, likely, high}, {uniform: {low, high}}, {triangular: {low, likely, high}},
  /// {normal: {mean, sd}}, {lognormal: {median, p90}}.
  void read_spread(const Node& node, const Info& info, Number& slot, Dim dim, bool absolute) {
    const SpreadForm* form = find_spread_form(node);
    if (form == nullptr) {
      return fail(node,
                  "expected a number, {low, likely, high}, or one of uniform, triangular, "
                  "normal, lognormal");
    }
    const Node& body = form->name.empty() ? node : node.items[1];
    double values[3] = {0, 0, 0};
    Origin origin = origin_of(body);
    if (body.kind != Node::Kind::map ||
        !read_parts(body, *form, info, dim, absolute, values, origin)) {
      return;
    }
    if (!origin.source) return fail(node, "this number has no source");
    if (!form->finish(values, slot)) {
      return fail(node, "the range is not in order: low <= likely <= high is needed");
    }
    if (!ends_in_range(slot, info)) {
      slot = Number{};
      return fail(node, "the 10th or 90th percentile of this distribution is out of range",
                  "a lognormal distribution is never negative");
    }
    slot.shape = form->shape;
    slot.given = true;
    slot.origin = std::move(origin);
  }

  static bool ends_in_range(const Number& slot, const Info& info) {
    const auto unit = parse_unit(info.unit);
    const auto shown_value = [&](double si) { return (si - unit->offset) / unit->factor; };
    return std::isfinite(slot.low) && std::isfinite(slot.high) &&
           shown_value(slot.low) >= info.low - 1e-12 &&
           shown_value(slot.high) <= info.high * (1 + 1e-12);
  }

  bool read_parts(const Node& body, const SpreadForm& form, const Info& info, Dim dim,
                  bool absolute, double* values, Origin& origin) {
    bool ok = true;
    for (std::size_t i = 0; i < form.parts.size(); ++i) {
      const Node* part = body.get(form.parts[i]);
      if (part == nullptr || part->kind != Node::Kind::scalar) {
        fail(body, "'" + std::string(form.parts[i]) + "' is missing in this range");
        ok = false;
        continue;
      }
      Scope scope(*this, form.parts[i]);
      // A standard deviation of a temperature is a difference, not a point.
      const bool difference = absolute && form.parts[i] == "sd";
      Info part_info = info;
      if (difference) part_info.unit = "K";
      if (form.parts[i] == "sd")
        part_info.low = 0, part_info.high = 1e300, part_info.low_open = false;
      ok = read_scalar(*part, part_info, dim, absolute && !difference, values[i], origin) && ok;
    }
    for (std::size_t i = 0; i + 1 < body.items.size(); i += 2) {
      const auto& key = body.items[i].text;
      if (std::find(form.parts.begin(), form.parts.end(), key) == form.parts.end()) {
        fail(body.items[i], "unknown key in a range", "", shown(key));
        ok = false;
      }
    }
    return ok;
  }

  const ReadContext& context_;
  Diagnostics& diagnostics_;
  std::string path_;
  Frame frame_;
  SourcePtr source_;
  bool failed_ = false;
};

}  // namespace

bool read(const Node& node, ObjectRef object, const ReadContext& context, Diagnostics& diagnostics,
          const std::string& path) {
  Reader reader(context, diagnostics, path);
  reader.read_object(node, object);
  return !reader.failed();
}

}  // namespace headroom::spec
