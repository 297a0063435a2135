// The scenario file that the server was given: read, and written back whole or not at all.
//
// Only this file can be written. A stamp (hash of the text) tells a client's copy from what is on
// disk now: who saves over somebody else's change, in an editor or in another tab, is told so.
#pragma once

#include <mutex>
#include <string>

#include "base/result.hpp"

namespace headroom::server {

/// 16 hexadecimal digits of FNV-1a; tells texts apart, proves nothing.
std::string stamp_of(std::string_view text);

class WorkFile {
 public:
  /// An empty path: there is no file.
  explicit WorkFile(std::string path) : path_(std::move(path)) {}

  bool given() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  /// The text on disk now. It counts as seen.
  Result<std::string> read();

  enum class Saved : unsigned char { yes, changed_on_disk, failed };
  /// `seen` is the stamp of the text that the change began from; empty: of the last text that was
  /// read or written here.
  Saved write(const std::string& text, const std::string& seen);

 private:
  Result<std::string> read_disk() const;

  const std::string path_;
  std::mutex mutex_;
  std::string seen_;
};

}  // namespace headroom::server
