#include "catalog/request_trace.hpp"

namespace headroom::catalog {

void LengthStatistics::fields(spec::Fields& f) {
  f.number("mean", mean, "token", "Mean length").above(0);
  f.number("p50", p50, "token", "Median length").above(0);
  f.number("p90", p90, "token", "Length that one request in ten exceeds").above(0);
  f.number("p99", p99, "token", "Length that one request in a hundred exceeds").above(0);
  f.number("variation", variation, "", "Standard deviation over mean").at_least(0);
}

void RequestTrace::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("service", service, "What the requests asked for");
  f.object("input", input, "Prompt lengths, with the conversation so far");
  f.object("output", output, "Generated lengths");
  f.number("requests", requests, "", "Requests in the trace").above(0);
  f.number("span", span, "h", "Time from the first to the last request").above(0);
  f.number("rate", rate, "1/s", "Mean arrivals").above(0);
  f.number("peak_rate", peak_rate, "1/s", "Arrivals in the busiest interval").above(0);
  f.number("burstiness", burstiness, "",
           "Coefficient of variation of the times between arrivals; 1 is Poisson")
      .at_least(0);
  f.number("prefix_reuse", prefix_reuse, "%", "Input found in an unbounded prefix cache")
      .between(0, 100);
  f.number("correlation", correlation, "", "Correlation of input and output length").between(-1, 1);
}

}  // namespace headroom::catalog
