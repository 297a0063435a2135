// Reading a YAML tree into a struct by its field list.
//
// Every mistake is reported, in one pass, at its line:column with the path of
// keys that leads there: unknown keys (did you mean), missing keys, wrong
// kinds, numbers without or with the wrong unit, values out of range, unknown
// catalogue ids. Fields in error keep their defaults, so that the rest is
// checked too; the caller computes nothing when there were any.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "spec/fields.hpp"
#include "spec/node.hpp"

namespace headroom::spec {

/// What the reader needs to know about the world around a document.
struct ReadContext {
  std::shared_ptr<const std::string> file;
  const Document* document = nullptr;  ///< for excerpts; may be null

  /// Source of a number that names none. Without it such a number is an error
  /// (the catalogue's rule) unless an object sets one by a `source` key.
  SourcePtr default_source;
  /// Named sources (the catalogue's `sources` map).
  std::map<std::string, SourcePtr> sources;
  /// In a catalogue: an object's `source` key names the default below it.
  bool source_keys = false;

  /// Whether a catalogue entry exists; null accepts every id.
  std::function<bool(std::string_view kind, const std::string& id)> has_entry;
  /// Ids of a kind, for suggestions.
  std::function<std::vector<std::string>(std::string_view kind)> entry_ids;
};

/// Reads `node` into `object`. Returns whether there was no mistake.
bool read(const Node& node, ObjectRef object, const ReadContext& context, Diagnostics& diagnostics,
          const std::string& path = {});

template <class T>
bool read(const Node& node, T& object, const ReadContext& context, Diagnostics& diagnostics,
          const std::string& path = {}) {
  return read(node, object_ref(object), context, diagnostics, path);
}

/// Reads one number text ("17.3 kW", "3 %", "22 degC") of dimension `dim`.
/// On failure returns false and fills message and hint.
bool read_number(std::string_view text, Dim dim, bool absolute_temperature,
                 std::string_view display_unit, double& si, std::string& message,
                 std::string& hint);

}  // namespace headroom::spec
