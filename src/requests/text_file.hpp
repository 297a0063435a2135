// Whole files as text: plain or gzip, told by the first bytes and not by the name; tar archives
// and folders as a list of members. For the readers of this layer.
//
// A file is held in memory while it is read: its size uncompressed, once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace headroom::requests {

/// The text of a file, decompressed. Missing files come with the nearest name in their folder.
Result<std::string> load_text(const std::string& path);

/// Writes a file; compressed when its name ends in ".gz".
Result<std::size_t> save_text(const std::string& text, const std::string& path);

/// Name and content of a member of an archive or folder.
using Member = std::pair<std::string, std::string>;

/// Regular files of a .tar or .tar.gz, or of a folder and those in it, by name.
Result<std::vector<Member>> load_members(const std::string& path);

/// A tar archive by its magic at byte 257.
bool is_tar(std::string_view text);

}  // namespace headroom::requests
