// The JSON bodies that are taken: one object whose members are texts, truths or lists of texts.
//
// Read event by event, so a body of four million brackets costs no tree; what is nested deeper, a
// number, an unknown or a repeated member is refused with its place. O(body).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::server {

class Body {
 public:
  /// `known` are the members there may be.
  static Result<Body> read(std::string_view json, std::initializer_list<std::string_view> known);

  /// Empty when it is not there.
  const std::string& text(const std::string& name) const;
  bool has(const std::string& name) const { return texts_.contains(name); }
  bool yes(const std::string& name) const;
  const std::vector<std::string>& list(const std::string& name) const;

 private:
  friend class BodyReader;
  std::map<std::string, std::string> texts_;
  std::map<std::string, bool> truths_;
  std::map<std::string, std::vector<std::string>> lists_;
};

}  // namespace headroom::server
