// A parsed config.json with the places of its keys. Internal to huggingface.cpp and
// huggingface_types.cpp.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/diagnostics.hpp"
#include "catalog/model.hpp"

namespace headroom::workload {

class Config {
 public:
  using Json = nlohmann::json;
  using Keys = std::initializer_list<const char*>;

  Config(const Json& object, std::string_view text, const std::string& file, std::size_t start,
         Diagnostics& diagnostics)
      : object_(object), text_(text), file_(file), start_(start), diagnostics_(diagnostics) {}

  /// A positive integer under the first of these keys that is there; a mistake without.
  int need(Keys keys);
  /// The same, or `fallback` when no key is there or it is null.
  int get(Keys keys, int fallback, int least = 0);
  bool flag(const char* key, bool fallback);
  std::string word(const char* key, std::string fallback = {});
  /// The value of a key that is there and not null, else nullptr.
  const Json* find(const char* key) const;
  void mistake(std::string_view key, std::string message, std::string hint = {});
  const Json& object() const { return object_; }

 private:
  const Json* first(Keys keys, const char** used) const;
  int integer(const Json& value, const char* key, int least);

  const Json& object_;
  std::string_view text_;
  const std::string& file_;
  std::size_t start_;
  Diagnostics& diagnostics_;
};

/// 1-based line and column of a byte offset, and the line itself.
struct Place {
  int line = 1, column = 1;
  std::string excerpt;
};
Place place_of(std::string_view text, std::size_t offset);

/// Fills the model from the config by its type; false when the type is unknown.
bool fill_model(const std::string& type, Config& config, catalog::Model& model);

}  // namespace headroom::workload
