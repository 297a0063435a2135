#include "catalog/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "catalog/kinds.hpp"
#include "catalog/packed_data.hpp"
#include "spec/sources.hpp"

namespace headroom::catalog {

void Entry::entry_fields(spec::Fields& f) {
  f.text("id", id, "Name used to refer to the entry, lower-case kebab").required();
  f.text("name", name, "Name as people write it").required();
  f.text("note", note, "What a reader should know about the figures");
  if (origin.line == 0) origin = f.here();
}

namespace {

using Key = std::pair<std::string, std::string>;  // kind, id

/// One file's sources, decoded when its first entry is.
struct File {
  std::shared_ptr<const std::string> name;
  spec::PackedPart sources;                // built-in
  std::optional<spec::Document> document;  // overlay
  bool decoded = false;
  spec::ReadContext context;
};

struct Slot {
  std::size_t file = 0;
  spec::PackedPart packed;           // built-in
  const spec::Node* node = nullptr;  // overlay
  const KindInfo* kind = nullptr;
  void* entry = nullptr;
};

}  // namespace

struct Catalog::Impl {
  std::vector<std::unique_ptr<File>> files;
  std::map<Key, Slot> slots;
  mutable std::mutex mutex;

  ~Impl() {
    for (auto& [key, slot] : slots) {
      if (slot.entry != nullptr) slot.kind->destroy(slot.entry);
    }
  }

  bool has(std::string_view kind, const std::string& id) const {
    return slots.count(Key(std::string(kind), id)) > 0;
  }

  std::vector<std::string> ids(std::string_view kind) const {
    std::vector<std::string> out;
    for (auto it = slots.lower_bound(Key(std::string(kind), "")); it != slots.end(); ++it) {
      if (it->first.first != kind) break;
      out.push_back(it->first.second);
    }
    return out;
  }

  void add_builtin() {
    for (const auto& packed : packed_files()) {
      const auto kind = kind_of(packed.name);
      if (kind == nullptr) continue;
      auto file = std::make_unique<File>();
      file->name = std::make_shared<const std::string>("data/" + std::string(packed.name));
      file->sources = packed.parts.front();
      for (std::size_t i = 1; i < packed.parts.size(); ++i) {
        Slot slot;
        slot.file = files.size();
        slot.packed = packed.parts[i];
        slot.kind = kind;
        slots.emplace(Key(kind->name, packed.parts[i].label), slot);
      }
      files.push_back(std::move(file));
    }
  }

  static const KindInfo* kind_of(std::string_view path) {
    if (!path.starts_with("catalog/")) return nullptr;
    path.remove_prefix(8);
    return find_kind(path.substr(0, path.find('/')));
  }

  void add_overlay_file(const std::string& path, const KindInfo& kind, Diagnostics& diagnostics) {
    auto document = spec::load_yaml(path, diagnostics);
    if (!document) return;
    auto file = std::make_unique<File>();
    file->name = document->file;
    file->document = std::move(document);
    const spec::Node* entries = file->document->root.get("entries");
    if (entries == nullptr || entries->kind != spec::Node::Kind::sequence) {
      diagnostics.add({path, 1, 1, "", "a catalogue file is a map with 'sources' and 'entries'",
                       "see data/catalog in the project for examples", ""});
      return;
    }
    for (const auto& node : entries->items) {
      const spec::Node* id = node.get("id");
      Slot slot;
      slot.file = files.size();
      slot.node = &node;
      slot.kind = &kind;
      slots.insert_or_assign(Key(kind.name, id != nullptr ? id->text : ""), slot);
    }
    files.push_back(std::move(file));
  }

  void decode_sources(File& file, Diagnostics& diagnostics) {
    if (file.decoded) return;
    file.decoded = true;
    auto& context = file.context;
    context.file = file.name;
    context.document = file.document ? &*file.document : nullptr;
    context.source_keys = true;
    context.has_entry = [this](std::string_view kind, const std::string& id) {
      return has(kind, id);
    };
    context.entry_ids = [this](std::string_view kind) { return ids(kind); };
    const spec::Node* sources = file.document ? file.document->root.get("sources") : nullptr;
    const spec::Node node = sources != nullptr ? *sources
                            : file.document    ? spec::Node{}
                                               : file.sources.decode();
    context.sources = spec::read_sources(node, context, diagnostics);
  }

  /// Decodes an entry on first use. Requires the lock.
  void* decode(const Key& key, Slot& slot, Diagnostics& diagnostics) {
    if (slot.entry != nullptr) return slot.entry;
    File& file = *files[slot.file];
    decode_sources(file, diagnostics);
    slot.entry = slot.kind->create();
    const spec::Node node = slot.node != nullptr ? *slot.node : slot.packed.decode();
    spec::read(node, slot.kind->object(slot.entry), file.context, diagnostics,
               key.first + " " + key.second);
    return slot.entry;
  }
};

Catalog::Catalog() : impl_(std::make_unique<Impl>()) { impl_->add_builtin(); }
Catalog::~Catalog() = default;

const Catalog& Catalog::builtin() {
  static const Catalog catalog;
  return catalog;
}

std::unique_ptr<Catalog> Catalog::with_overlay(const std::string& folder,
                                               Diagnostics& diagnostics) {
  namespace fs = std::filesystem;
  auto catalog = std::make_unique<Catalog>();
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    diagnostics.add({folder, 0, 0, "", "is not a folder",
                     "--catalog takes a folder laid out as data/catalog is", ""});
    return catalog;
  }
  std::vector<std::string> known;
  for (const auto& kind : kind_table()) known.emplace_back(kind.name);
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  for (const auto& path : folders) {
    const KindInfo* kind = find_kind(path.filename().string());
    if (kind == nullptr) {
      diagnostics.add({path.string(), 0, 0, "", "is not a kind of the catalogue",
                       did_you_mean(path.filename().string(), known), ""});
      continue;
    }
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().extension() == ".yaml") names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) catalog->impl_->add_overlay_file(name, *kind, diagnostics);
  }
  // Every overlay entry is read now, so that its mistakes are found before any use.
  const std::lock_guard lock(catalog->impl_->mutex);
  for (auto& [key, slot] : catalog->impl_->slots) {
    if (slot.node != nullptr) catalog->impl_->decode(key, slot, diagnostics);
  }
  return catalog;
}

std::vector<std::string> Catalog::ids(std::string_view kind) const { return impl_->ids(kind); }

std::vector<std::string> Catalog::kinds() {
  std::vector<std::string> out;
  for (const auto& kind : kind_table()) out.emplace_back(kind.name);
  return out;
}

const void* Catalog::find_erased(std::string_view kind, std::string_view id) const {
  const std::lock_guard lock(impl_->mutex);
  const auto it = impl_->slots.find(Key(std::string(kind), std::string(id)));
  if (it == impl_->slots.end()) return nullptr;
  Diagnostics ignored;  // built-in entries are checked by the tests, overlays at load
  return impl_->decode(it->first, it->second, ignored);
}

spec::ObjectRef Catalog::find_object(std::string_view kind, std::string_view id) const {
  const KindInfo* info = find_kind(kind);
  void* entry = info != nullptr ? const_cast<void*>(find_erased(kind, id)) : nullptr;
  return entry != nullptr ? info->object(entry) : spec::ObjectRef{};
}

void Catalog::check(Diagnostics& diagnostics) const {
  const std::lock_guard lock(impl_->mutex);
  for (auto& [key, slot] : impl_->slots) {
    if (slot.entry != nullptr) {
      slot.kind->destroy(slot.entry);
      slot.entry = nullptr;
    }
    impl_->decode(key, slot, diagnostics);
  }
}

spec::ObjectRef prototype(std::string_view kind) {
  const KindInfo* info = find_kind(kind);
  return info != nullptr ? info->object(info->prototype()) : spec::ObjectRef{};
}

}  // namespace headroom::catalog
