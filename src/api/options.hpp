// Options of a verb: as they are given, and as help texts describe them. One form for `train`,
// `infer`, `replay` and whatever else takes a list of options with units.
//
//   std::vector<Option> given = {{"--tp", "8"}, {"--slo-ttft", "1s"}};
//
// A value is a text with its unit; a bare number takes the option's own unit, which its `doc`
// names. `doc` says what the option is, its unit or an example, and what holds when it is left out.
#pragma once

#include <string>
#include <string_view>

namespace headroom::api {

/// An option as given.
struct Option {
  std::string name, value;  ///< "--tp", "8"; a flag's value is not read
};

/// What an option is.
struct OptionInfo {
  std::string_view name;   ///< "--tp"
  std::string_view group;  ///< "Model", "Machine", ...: headings of the help text
  std::string_view doc;
  bool flag = false;     ///< takes no value
  bool repeats = false;  ///< may be given several times
};

}  // namespace headroom::api
