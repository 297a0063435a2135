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
    const auto fail = [&](const spec::Node& at, const std::string& key, std::string message,
                          std::string hint) {
      diagnostics.add({path, at.line, at.column, key, std::move(message), std::move(hint),
                       file->document->line_text(at.line)});
    };
    const auto& root = file->document->root.items;
    for (std::size_t i = 0; i + 1 < root.size(); i += 2) {
      if (root[i].text == "sources" || root[i].text == "entries") continue;
      fail(root[i], root[i].text, "unknown key",
           did_you_mean(root[i].text, {"sources", "entries"}));
    }
    for (const auto& node : entries->items) {
      const spec::Node* id = node.get("id");
      const Key key(kind.name, id != nullptr ? id->text : "");
      const auto before = slots.find(key);
      if (id != nullptr && before != slots.end() && before->second.node != nullptr) {
        fail(*id, "entries", "'" + id->text + "' is given twice",
             "first in " + *files_or(before->second.file, *file).name + " at line " +
                 std::to_string(before->second.node->line));
        continue;
      }
      Slot slot;
      slot.file = files.size();
      slot.node = &node;
      slot.kind = &kind;
      slots.insert_or_assign(key, slot);
    }
    files.push_back(std::move(file));
  }

  /// File `index`, which may be the one that is being added.
  const File& files_or(std::size_t index, const File& adding) const {
    return index < files.size() ? *files[index] : adding;
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

namespace {

/// What a folder holds, in the order of names. One that cannot be read is a mistake.
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder,
                                               Diagnostics& diagnostics) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    out.push_back(at->path());
  }
  if (error) {
    diagnostics.add({folder.string(), 0, 0, "", "cannot be read: " + error.message(), "", ""});
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool looks_like_yaml(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

}  // namespace

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
  for (const auto& path : list_folder(folder, diagnostics)) {
    const KindInfo* kind = find_kind(path.filename().string());
    const bool is_folder = fs::is_directory(path, error);
    if (!is_folder && !looks_like_yaml(path)) continue;  // a README, a licence
    if (!is_folder || kind == nullptr) {
      diagnostics.add(
          {path.string(), 0, 0, "",
           is_folder ? "is not a kind of the catalogue" : "stands in no kind's folder",
           is_folder ? did_you_mean(path.filename().string(), known)
                     : "move it to " + folder + "/<kind>/; `headroom catalog` lists the kinds",
           ""});
      continue;
    }
    for (const auto& file : list_folder(path, diagnostics)) {
      if (looks_like_yaml(file))
        catalog->impl_->add_overlay_file(file.string(), *kind, diagnostics);
    }
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
