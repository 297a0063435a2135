// Catalog: hardware, models, prices, regions and rules as data.
//
// data/catalog/<kind>/*.yaml is compiled into the binary; `--catalog DIR` lays
// a folder of the same layout over it (same id replaces, new id adds). A file:
//
//   sources:
//     nv-h100: {title: NVIDIA H100 datasheet, url: "https://...", date: 2023-03}
//     me:      {title: Our own guess because ..., date: 2026-11, trust: assumed}
//   entries:
//     - id: h100-sxm
//       source: nv-h100            # of every number below that names no other
//       name: NVIDIA H100 SXM5 80 GB
//       power: {max: 700 W, typical: 560 W @assumed, idle: 70 W @me}
//
// A number takes the entry's source, or the one named after `@` behind it:
// a key of `sources`, or the built-in `@assumed` and `@recalled`, which may
// carry a reason: `560 W @assumed(80 % of max while training)`. A number with
// no source is an error, so nothing in the catalogue is unsourced.
//
// Entries are decoded on first use; start-up reads nothing. Look-up is O(log n).
// Thread-safe after construction. Pointers stay valid as long as the Catalog.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.hpp"
#include "base/source.hpp"
#include "spec/fields.hpp"

namespace headroom::catalog {

/// What every entry has. Entry types derive from it and call `entry_fields`.
struct Entry {
  std::string id;
  std::string name;
  std::string note;

  /// The origin of the whole entry: file, line, and its default source.
  Origin origin;

 protected:
  /// id, name, note; also records `origin`. Call first in `fields`.
  void entry_fields(spec::Fields& f);
};

class Catalog {
 public:
  /// The compiled-in catalogue, shared and read-only.
  static const Catalog& builtin();

  Catalog();
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  /// The built-in catalogue with a folder laid over it. Mistakes in the folder's
  /// files go to `diagnostics`; the result is then incomplete.
  static std::unique_ptr<Catalog> with_overlay(const std::string& folder, Diagnostics& diagnostics);

  /// The entry of type T (T::kind) with this id, or nullptr.
  template <class T>
  const T* find(std::string_view id) const {
    return static_cast<const T*>(find_erased(T::kind, id));
  }
  /// All ids of a kind, sorted.
  std::vector<std::string> ids(std::string_view kind) const;
  /// Every entry of a type, by id.
  template <class T>
  std::vector<const T*> all() const {
    std::vector<const T*> out;
    for (const auto& id : ids(T::kind)) out.push_back(find<T>(id));
    return out;
  }
  /// All kinds, in the order of data/catalog's folders.
  static std::vector<std::string> kinds();

  /// An entry for generic use (listing, writing): its fields, or an empty
  /// ObjectRef when it does not exist.
  spec::ObjectRef find_object(std::string_view kind, std::string_view id) const;
  /// Reads every entry and reports every mistake; used by tests and `--catalog`.
  void check(Diagnostics& diagnostics) const;

 private:
  struct Impl;
  const void* find_erased(std::string_view kind, std::string_view id) const;
  std::unique_ptr<Impl> impl_;
};

/// A default entry of a kind, for schema and docs; empty for an unknown kind.
spec::ObjectRef prototype(std::string_view kind);

}  // namespace headroom::catalog
