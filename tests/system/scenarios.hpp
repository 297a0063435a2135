// What the tests of this folder share: the scenarios in the tree and their verdicts.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "api/headroom.hpp"

namespace headroom::system_test {

inline std::vector<std::string> scenario_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(HEADROOM_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// "llama3-405b" for ".../scenarios/llama3-405b.yaml"; as a gtest parameter "llama3_405b".
inline std::string stem(const std::string& file) {
  return std::filesystem::path(file).stem().string();
}
inline std::string parameter_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

inline Result<study::Verdict> check_file(const std::string& file) {
  api::Request request;
  request.file = file;
  return api::check(request);
}

/// The verdict of a scenario, computed once.
inline const Result<study::Verdict>& verdict_of(const std::string& file) {
  static std::map<std::string, Result<study::Verdict>> cache;
  const auto it = cache.find(file);
  if (it != cache.end()) return it->second;
  return cache.emplace(file, check_file(file)).first->second;
}

}  // namespace headroom::system_test
