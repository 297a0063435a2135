// What the fuzz targets share. A target is one LLVMFuzzerTestOneInput; with
// -DHEADROOM_FUZZ=ON it is linked with libFuzzer, else with replay.cpp, which
// runs the corpus in the tree (ctest fuzz.*).
//
// A finding is an abort: a crash, a sanitizer's report, a broken `require`.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace fuzz {

inline std::string text(const std::uint8_t* data, std::size_t size) {
  return std::string(reinterpret_cast<const char*>(data), size);
}

/// A property that holds for every input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
