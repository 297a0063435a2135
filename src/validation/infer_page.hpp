// The serving part of the validation pages: the infer and serving layers against every published
// run at hand.
//
// Written by `headroom validate infer FILE... --page`; nobody edits it by hand. Every table stands
// beside the command that prints it, every bar of issue 4 beside the figure that is reached.
#pragma once

#include <string>

#include "validation/infer.hpp"

namespace headroom::validation {

std::string infer_page(const InferRows& rows, const catalog::Catalog& catalog);

}  // namespace headroom::validation
