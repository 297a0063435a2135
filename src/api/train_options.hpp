// The options of `headroom train` as paths in a scenario. Internal to api.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/train.hpp"
#include "spec/node.hpp"

namespace headroom::api {

/// Which object of the scenario an option's path starts at.
enum class OptionPlace : unsigned char { own, root, site, money, cluster, work };

struct OptionPath {
  TrainOptionInfo info;
  OptionPlace place;
  std::string_view path;  ///< below that object
  std::string_view unit;  ///< of a bare number
};
std::span<const OptionPath> option_paths();
const OptionPath* find_option(std::string_view name);

/// Sets "a.b" below a map, making maps on the way.
void put(spec::Node& map, std::string_view path, std::string text);
/// An empty map, unless there is one.
void put_map(spec::Node& map, std::string_view key);
/// The element of a list that is called so; made when it is not there.
spec::Node& element(spec::Node& map, std::string_view list, std::string_view name);

}  // namespace headroom::api
