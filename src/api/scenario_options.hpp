// Options that are paths in a scenario, for verbs that need no scenario file. Internal to api.
//
//   ScenarioOptions s(table, in, {.file = request.file, .kind = "train", .workload = {}},
//   mistakes); auto document = s.open();                 // the file, or an empty scenario
//   s.place(document->root, change);          // every given option of the table
//   loaded = study::read_scenario(...);  if (!loaded) s.take(loaded.error());
//
// A verb's table says of each option at which object of the scenario its path starts and which
// unit a bare number has. Options of a workload go to every workload of the verb's kind (or to the
// one that is asked for), options of a cluster to the clusters that these stand on. What the
// scenario's reader finds wrong at such a path is told with the option in place of the path.
//
// Complexity: O(options x workloads). Not thread-safe; one object a request.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/option_reader.hpp"
#include "spec/node.hpp"
#include "study/scenario.hpp"

namespace headroom::api {

/// Which object of the scenario an option's path starts at; `own`: the verb reads it itself.
enum class OptionPlace : unsigned char { own, root, site, money, cluster, work };

struct OptionPath {
  OptionInfo info;
  OptionPlace place = OptionPlace::own;
  std::string_view path = {};    ///< below that object
  std::string_view unit = {};    ///< of a bare number
  std::string_view on = "true";  ///< what a flag sets
};

/// `table` and what every verb can say of a place: region, electricity, PUE, price, date.
std::vector<OptionPath> with_place(std::span<const OptionPath> table);
std::vector<OptionInfo> infos_of(std::span<const OptionPath> table);

/// Sets "a.b" below a map, making maps on the way. A key that ends in `modules` holds a list.
void put(spec::Node& map, std::string_view path, std::string text);
/// An empty map, unless there is one.
void put_map(spec::Node& map, std::string_view key);
/// The element of a list that is called so; made when it is not there.
spec::Node& element(spec::Node& map, std::string_view list, std::string_view name);

class ScenarioOptions {
 public:
  struct Scope {
    std::string file;      ///< empty: the options say everything
    std::string kind;      ///< of the workloads that options change
    std::string workload;  ///< one of them; empty: all
  };
  ScenarioOptions(std::span<const OptionPath> table, OptionReader& in, Scope scope,
                  Diagnostics& mistakes);

  bool from_file() const { return !scope_.file.empty(); }
  /// The file, or an empty document; nothing when it cannot be read.
  std::optional<spec::Document> open();

  /// Text to put for an option, or nothing to leave it out.
  using Change = std::function<std::optional<std::string>(const OptionPath&, std::string)>;
  void place(spec::Node& root, const Change& change = {});
  void place(spec::Node& root, const OptionPath& path, const std::string& text);

  /// Workloads of the scope, the clusters they stand on (each once).
  std::vector<spec::Node*> works(spec::Node& root) const;
  std::vector<spec::Node*> clusters(spec::Node& root) const;

  /// --model or --hf of the scope's workloads; `example` is a model that fits the verb.
  void model(spec::Node& root, study::Loaded& brought, const char* example);

  /// Mistakes of the scenario's reader, each told with the option that put it there.
  void take(const Diagnostics& found);

 private:
  void put_at(spec::Node& object, const std::string& where, const OptionPath& path,
              const std::string& text);

  std::span<const OptionPath> table_;
  OptionReader& in_;
  Scope scope_;
  Diagnostics& mistakes_;
  std::map<std::string, std::string> placed_;  ///< option as given, by path in the scenario
};

}  // namespace headroom::api
