#include "server/work_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/whole_file.hpp"
#include "spec/node.hpp"

namespace headroom::server {

std::string stamp_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ull;
  }
  return fmt::format("{:016x}", hash);
}

Result<std::string> WorkFile::read_disk() const {
  std::ifstream in(path_, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(spec::max_bytes + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || (!in && !in.eof()))
    return failure(
        {path_, 0, 0, "", std::string("cannot be read: ") + std::strerror(errno), "", ""});
  if (text.size() > spec::max_bytes)
    return failure({path_, 0, 0, "", "is larger than 4 MiB, the most that is read", "", ""});
  return text;
}

Result<std::string> WorkFile::read() {
  const std::lock_guard lock(mutex_);
  auto text = read_disk();
  if (text) seen_ = stamp_of(*text);
  return text;
}

WorkFile::Saved WorkFile::write(const std::string& text, const std::string& seen) {
  const std::lock_guard lock(mutex_);
  const auto now = read_disk();
  // A file that is gone holds nothing that could be lost.
  if (now && stamp_of(*now) != (seen.empty() ? seen_ : seen)) return Saved::changed_on_disk;
  if (!write_whole(path_, text)) return Saved::failed;
  seen_ = stamp_of(text);
  return Saved::yes;
}

}  // namespace headroom::server
