// A file written whole or not at all: beside it first, then renamed over it.
#pragma once

#include <string>

namespace headroom {

/// False when it cannot be written; then what was there is still there, and nothing beside it. A
/// link is followed, permissions of a file that is there are kept. One writer a file at a time.
bool write_whole(const std::string& path, const std::string& text);

}  // namespace headroom
