// Moving the data in: how long and how dear. Internal to storage.
#pragma once

#include <string>

#include "storage/assess.hpp"

namespace headroom::storage {

/// Fills `move_in` and `move_in_cost`, and adds the limit and the bill line, of moving `dataset`
/// (or `move.bytes`). `prefix` is "storage.<scope>.".
void move_in(const MoveIn& move, const Figure<Information>& dataset,
             const catalog::Catalog& catalog, Trace& trace, const std::string& prefix,
             Storage& out);

}  // namespace headroom::storage
