#include "base/whole_file.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace headroom {

bool write_whole(const std::string& path, const std::string& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(target, error)) target = fs::canonical(target, error);
  if (error && target.empty()) return false;
  // A device or a pipe (/dev/stdout) is written as it is; it cannot be replaced.
  const auto there = fs::status(target, error);
  const bool exists = fs::exists(there);
  if (exists && !fs::is_regular_file(there)) {
    std::ofstream out(target, std::ios::binary);
    out << text;
    out.close();
    return static_cast<bool>(out);
  }
  const fs::path part = target.string() + ".part";
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  error.clear();
  if (file && exists) fs::permissions(part, there.permissions(), error);
  error.clear();
  if (file) fs::rename(part, target, error);
  if (file && !error) return true;
  fs::remove(part, error);
  return false;
}

}  // namespace headroom
