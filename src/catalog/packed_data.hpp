// The data files compiled into the binary.
#pragma once

#include <string_view>
#include <vector>

#include "spec/packed.hpp"

namespace headroom::catalog {

/// All compiled-in files, in the order they were packed.
const std::vector<spec::PackedFile>& packed_files();
/// A whole compiled-in document by name ("claims.yaml"); null node when absent.
spec::Node packed_document(std::string_view name);

}  // namespace headroom::catalog
