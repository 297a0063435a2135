// Traffic by text: a trace or a synthetic stream as options of a command line say it. One list of
// options for every verb that takes requests.
//
//   traffic({{"--trace", "conv.csv.gz"}, {"--rate-scale", "2"}})
//   traffic({{"--arrivals", "gamma:cv=2"}, {"--rate", "20/s"}, {"--duration", "1h"},
//            {"--input", "lognormal:mean=1155,p99=4142"}, {"--output", "uniform:64..512"}})
//   traffic({{"--like", "azure-conv-2023"}, {"--requests", "1000"}})
//
// A distribution is NAME:key=value,key=value; a number alone is a fixed length. Times and rates
// carry units (30s, 1h, 20/s), shares may be percent. Mistakes come all in one pass, each with the
// option, the column in its text and the nearest right word.
//
//   --arrivals  poisson | gamma:cv=2 | weibull:cv=2 | constant | at-once
//               bursts:factor=4,share=10%,length=30s | closed:users=64,think=2s
//   --input, --output
//               512 | fixed:512 | uniform:64..512 | uniform:mean=512,ratio=0.2
//               lognormal:mean=1155,p99=4142 | lognormal:mean=1155,cv=0.9 | exponential:mean=300
//               quantiles:p50=208,p90=2092,p99=23423,mean=1268; each with least= and most=
//   --lengths   FILE: pairs of lengths drawn from a trace
//   --like      a request-trace of the catalogue: its lengths, burstiness, rate and prefix reuse
//   --sessions  turns=5,think=30s,context=32768 [,fixed]
//   --prefixes  10:tokens=800,zipf=1,share=90%
//   --adapters  100:zipf=1.1,share=50%
//   --diurnal   swing=60%,peak=15h,weekend=70%,start=9h | hours=1;0.9;... (24),weekend=70%
//   --class     "name=chat share=70% like=azure-conv-2023 model=a priority=1 input=512 ..."
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "requests/reader.hpp"
#include "requests/synthetic.hpp"

namespace headroom::catalog {
struct RequestTrace;
}

namespace headroom::requests {

struct TrafficOption {
  const char* flag;   ///< "--rate"
  const char* group;  ///< "Trace" or "Synthetic load"
  const char* doc;
  bool takes_value = true;
  bool repeats = false;
};
std::span<const TrafficOption> traffic_options();

/// Options in the order given, each of `traffic_options` or "--trace".
using OptionList = std::vector<std::pair<std::string, std::string>>;

/// The stream they describe. `catalog` may be null where no option names an entry.
Result<Stream> traffic(const OptionList& options, const catalog::Catalog* catalog,
                       ReadReport* report = nullptr);

/// The synthetic part alone.
Result<Synthetic> parse_synthetic(const OptionList& options, const catalog::Catalog* catalog);

/// One distribution of lengths; `option` stands for the file in messages.
Result<Lengths> parse_lengths(const std::string& text, const std::string& option = "--input");

/// A class with the lengths of a catalogue entry: its quantiles and means where it has them,
/// else a lognormal by mean and p99, mean and variation, or (assumed) mean and a variation of 1.
TrafficClass class_like(const catalog::RequestTrace& trace);

}  // namespace headroom::requests
