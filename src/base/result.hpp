// Result<T>: a value, or why there is none.
//
// Expected failure is a value, not an exception: a scenario that does not read,
// a file that does not parse. An infeasible design is neither; it is an answer,
// with margins below zero.
#pragma once

#include <tl/expected.hpp>

#include "base/diagnostics.hpp"

namespace headroom {

template <class T>
using Result = tl::expected<T, Diagnostics>;

/// The failure with one diagnostic.
inline tl::unexpected<Diagnostics> failure(Diagnostic d) {
  Diagnostics list;
  list.add(std::move(d));
  return tl::unexpected<Diagnostics>(std::move(list));
}
inline tl::unexpected<Diagnostics> failure(Diagnostics list) {
  return tl::unexpected<Diagnostics>(std::move(list));
}

}  // namespace headroom
