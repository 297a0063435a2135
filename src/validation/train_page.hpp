// docs/validation.md: the training layer against every published run at hand.
//
// Written by `headroom validate train FILE... --page`, which tools/fit-train calls; nobody
// edits it by hand. Every table stands beside the command that prints it, every bar of
// issue 3 beside the figure that is reached, every row that misses by name.
#pragma once

#include <string>

#include "validation/train.hpp"

namespace headroom::validation {

std::string train_page(const TrainRows& rows, const catalog::Catalog& catalog);

}  // namespace headroom::validation
