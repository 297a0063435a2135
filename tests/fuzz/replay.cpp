// replay PATH...: runs the target over files and folders of inputs, as
// libFuzzer does when it is given files, and holds each to one second.
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;

// Processor time, so that a busy machine does not fail the test. Sanitizers slow
// a run about tenfold.
#ifdef HEADROOM_SLOW_BUILD
constexpr double most_seconds = 10;
#else
constexpr double most_seconds = 1;
#endif

bool replay(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  const std::clock_t start = std::clock();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  if (seconds <= most_seconds) return true;
  std::fprintf(stderr, "%s: took %.1f s\n", path.c_str(), seconds);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 0;
  bool fast = true;
  for (int i = 1; i < argc; ++i) {
    std::vector<fs::path> files;
    if (fs::is_directory(argv[i])) {
      for (const auto& entry : fs::directory_iterator(argv[i])) files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
    for (const auto& file : files) fast = replay(file) && fast;
    runs += files.size();
  }
  std::printf("%zu inputs\n", runs);
  // A folder that went missing must not pass for a corpus without findings.
  return fast && runs > 0 ? 0 : 1;
}
