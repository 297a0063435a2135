#include "requests/servegen.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "requests/distributions.hpp"
#include "requests/rows.hpp"
#include "requests/text_file.hpp"

namespace headroom::requests {
namespace {

using nlohmann::json;

/// Tokens and the probabilities up to and with them.
struct Pdf {
  std::vector<std::int32_t> value;
  std::vector<double> up_to;

  std::int32_t draw(double u) const {
    const auto at = std::upper_bound(up_to.begin(), up_to.end(), u * up_to.back());
    return value[static_cast<std::size_t>(std::min(at, up_to.end() - 1) - up_to.begin())];
  }
};

/// Tokens of one kind of input: `pieces` of `tokens` each.
struct Part {
  Pdf tokens, pieces;
};

struct Lengths {
  double from_s = 0;
  std::vector<Part> prompt;
  Pdf output;
};

struct Window {
  double from_s = 0, rate = 0, shape = 1;
  bool weibull = false;
};

struct Client {
  int number = 0;
  std::vector<Window> windows;
  std::vector<Lengths> lengths;
};

Diagnostic at(const std::string& file, int line, int column, std::string message) {
  Diagnostic d;
  d.file = file;
  d.line = line;
  d.column = column;
  d.message = std::move(message);
  return d;
}

/// "{45: 0.0097, 46: 0.0117}"; false when it is not of that form.
bool parse_pdf(const std::string& text, Pdf& pdf) {
  const char* p = text.data();
  const char* end = p + text.size();
  const auto skip = [&](const char* what) {
    while (p < end && std::strchr(what, *p) != nullptr) ++p;
  };
  if (text.empty() || text.front() != '{' || text.back() != '}') return false;
  double sum = 0;
  for (skip("{ "); p < end && *p != '}'; skip(", ")) {
    double tokens = 0, share = 0;
    auto r = std::from_chars(p, end, tokens);
    if (r.ec != std::errc{}) return false;
    p = r.ptr;
    skip(": ");
    r = std::from_chars(p, end, share);
    if (r.ec != std::errc{} || !(share >= 0) || !(tokens >= 0) || tokens > 1e9) return false;
    p = r.ptr;
    pdf.value.push_back(static_cast<std::int32_t>(tokens));
    pdf.up_to.push_back(sum += share);
  }
  return pdf.value.empty() || sum > 0;
}

/// The windows of chunk-N-trace.csv.
void read_trace(const std::string& file, const std::string& text, Client& client,
                Diagnostics& bad) {
  int number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto stop = std::min(text.find('\n', from), text.size());
    std::string_view line(text.data() + from, stop - from);
    from = stop + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    std::vector<std::string_view> cells;
    for (std::size_t p = 0; p <= line.size();) {
      const auto comma = std::min(line.find(',', p), line.size());
      cells.push_back(line.substr(p, comma - p));
      p = comma + 1;
    }
    Window w;
    double shape = 0;
    if (cells.size() != 6 || !parse_number(cells[0], w.from_s) || !parse_number(cells[1], w.rate) ||
        !parse_number(cells[4], shape) || w.rate < 0) {
      bad.add(at(file, number, 1, "expected t, rate, CV, Gamma or Weibull, shape, scale"));
      continue;
    }
    if (!client.windows.empty() && w.from_s <= client.windows.back().from_s)
      bad.add(at(file, number, 1, "the window lies before the one above"));
    w.weibull = cells[3] == "Weibull";
    if (!cells[3].empty() && !w.weibull && cells[3] != "Gamma")
      bad.add(at(file, number, static_cast<int>(cells[3].data() - line.data()) + 1,
                 fmt::format("'{}', expected Gamma or Weibull", cells[3])));
    w.shape = shape > 0 ? shape : 1;
    client.windows.push_back(w);
  }
}

/// One window of a data set; false when it has an empty distribution, as silent windows do.
bool read_lengths(const std::string& file, const json& fields, Lengths& out, Diagnostics& bad) {
  const auto pdf = [&](const std::string& name, Pdf& into) {
    const auto found = fields.find(name);
    if (found == fields.end()) return false;
    if (!found->is_string() || !parse_pdf(found->get<std::string>(), into)) {
      bad.add(at(file, 0, 0, fmt::format("'{}': expected \"{{tokens: share, ...}}\"", name)));
      return false;
    }
    return !into.value.empty();
  };
  if (!pdf("output_tokens", out.output)) return false;
  for (const char* kind : {"input", "text", "image", "audio", "video"}) {
    Part part;
    if (!pdf(std::string(kind) + "_tokens", part.tokens)) continue;
    pdf(std::string(kind) + "_count", part.pieces);
    out.prompt.push_back(std::move(part));
  }
  return !out.prompt.empty();
}

void read_dataset(const std::string& file, const std::string& text, Client& client,
                  Diagnostics& bad) {
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object()) return bad.add(at(file, 1, 1, "is not a JSON object of windows"));
  for (const auto& [key, fields] : document.items()) {
    Lengths lengths;
    if (!parse_number(key, lengths.from_s) || !fields.is_object()) {
      bad.add(at(file, 0, 0, fmt::format("'{}': expected a window's start in seconds", key)));
      continue;
    }
    if (read_lengths(file, fields, lengths, bad)) client.lengths.push_back(std::move(lengths));
  }
  std::sort(client.lengths.begin(), client.lengths.end(),
            [](const Lengths& a, const Lengths& b) { return a.from_s < b.from_s; });
}

/// "language/m-large/chunk-7-trace.csv": folder, 7, and what it is.
bool split_name(const std::string& name, std::string& folder, int& number, std::string& kind) {
  const auto slash = name.rfind('/');
  folder = slash == std::string::npos ? "" : name.substr(0, slash);
  while (folder.starts_with("./")) folder.erase(0, 2);
  const auto base = slash == std::string::npos ? name : name.substr(slash + 1);
  if (!base.starts_with("chunk-")) return false;
  const auto r = std::from_chars(base.data() + 6, base.data() + base.size(), number);
  kind = std::string(r.ptr, base.data() + base.size());
  return r.ec == std::errc{} && (kind == "-trace.csv" || kind == "-dataset.json");
}

std::string last_part(const std::string& folder) {
  const auto slash = folder.rfind('/');
  return slash == std::string::npos ? folder : folder.substr(slash + 1);
}

class ServegenReader {
 public:
  ServegenReader(std::string path, const ReadOptions& options)
      : path_(std::move(path)), options_(options), random_(options.seed, "requests/servegen") {}

  Result<Stream> read(ReadReport* report) {
    if (!load(path_)) return failure(std::move(bad_));
    if (!options_.lengths_from.empty() && !load(options_.lengths_from))
      return failure(std::move(bad_));
    if (!check()) return failure(std::move(bad_));
    draw();
    if (report != nullptr) *report = report_;
    return std::move(stream_);
  }

 private:
  void refuse(std::string message, std::string hint = {}) {
    Diagnostic d;
    d.file = path_;
    d.message = std::move(message);
    d.hint = std::move(hint);
    bad_.add(std::move(d));
  }

  bool load(const std::string& path) {
    auto members = load_members(path);
    if (!members) return bad_.add(members.error()), false;
    std::set<std::string> workloads;
    std::string folder, kind;
    int number = 0;
    for (const auto& [name, text] : *members)
      if (split_name(name, folder, number, kind)) workloads.insert(last_part(folder));
    if (workloads.empty())
      return refuse("holds no chunk-N-trace.csv and no chunk-N-dataset.json"), false;
    if (workload_.empty()) workload_ = options_.workload;
    if (workload_.empty() && workloads.size() == 1) workload_ = *workloads.begin();
    if (!workloads.contains(workload_)) {
      const std::vector<std::string> names(workloads.begin(), workloads.end());
      refuse(workload_.empty() ? fmt::format("holds several workloads: {}", fmt::join(names, ", "))
                               : fmt::format("holds no workload '{}'", workload_),
             workload_.empty() ? fmt::format("name one: --workload {}", names[0])
                               : did_you_mean(workload_, names));
      return false;
    }
    for (const auto& [name, text] : *members) {
      if (!split_name(name, folder, number, kind) || last_part(folder) != workload_) continue;
      auto& client = clients_[number];
      client.number = number;
      const auto file = path + ":" + name;
      if (kind == "-trace.csv")
        read_trace(file, text, client, bad_);
      else
        read_dataset(file, text, client, bad_);
    }
    return bad_.empty();
  }

  bool check() {
    double last = 0, windows = 0;
    for (const auto& [number, client] : clients_) {
      if (!client.lengths.empty()) known_.push_back(&client);
      if (client.windows.empty()) continue;
      ++windows;
      last = std::max(last, client.windows.back().from_s + 600);
    }
    if (windows == 0) return refuse("holds data sets but no arrivals (chunk-N-trace.csv)"), false;
    if (known_.empty())
      return refuse("holds arrivals but no lengths (chunk-N-dataset.json)",
                    "name the archive that has them: --lengths-from FILE"),
             false;
    end_s_ = options_.span_s > 0 ? std::min(last, options_.from_s + options_.span_s) : last;
    if (options_.from_s < 0 || options_.from_s >= last)
      return refuse(fmt::format("the window starts at {:g} s, expected 0 to below {:g} s",
                                options_.from_s, last)),
             false;
    double expected = 0;
    for (const auto& [number, client] : clients_)
      each_window(client, [&](const Window& w, double from, double to, std::size_t) {
        expected += w.rate * options_.rate_scale * (to - from);
      });
    if (expected > most_drawn)
      return refuse(fmt::format("the window holds {:.3g} requests, expected at most {:.3g}",
                                expected, most_drawn),
                    fmt::format("shorten it: --span {:g}s",
                                std::floor((end_s_ - options_.from_s) * most_drawn / expected))),
             false;
    if (expected < 1) return refuse("no client sends a request in this window"), false;
    stream_.requests.reserve(static_cast<std::size_t>(expected * 1.01) + 64);
    return true;
  }

  /// Windows of the client that overlap what is drawn.
  template <class F>
  void each_window(const Client& client, F&& f) const {
    const auto& all = client.windows;
    for (std::size_t i = 0; i < all.size(); ++i) {
      // The last window is as long as the one before it.
      const double to = i + 1 < all.size() ? all[i + 1].from_s
                        : i > 0            ? 2 * all[i].from_s - all[i - 1].from_s
                                           : all[i].from_s + 600;
      const double low = std::max(all[i].from_s, options_.from_s), high = std::min(to, end_s_);
      if (all[i].rate > 0 && high > low) f(all[i], low, high, i);
    }
  }

  const std::vector<Lengths>& lengths_of(const Client& client) {
    if (!client.lengths.empty()) return client.lengths;
    ++borrowed_;
    return known_[static_cast<std::size_t>(client.number) % known_.size()]->lengths;
  }

  void draw() {
    for (const auto& [number, client] : clients_) {
      const auto& lengths = lengths_of(client);
      each_window(client, [&](const Window& w, double from, double to, std::size_t index) {
        Draws draws(random_, (static_cast<std::uint64_t>(number) << 32) | index);
        draw_window(w, from, to, lengths, number, draws);
      });
    }
    auto& all = stream_.requests;
    std::stable_sort(all.begin(), all.end(),
                     [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; });
    if (options_.most > 0 && all.size() > options_.most) all.resize(options_.most);
    stream_.name = path_;
    stream_.classes = {workload_};
    report_.format = "servegen";
    report_.rows = all.size();
    report_.notes.push_back(fmt::format("drawn from {} clients of {}, seed {}", clients_.size(),
                                        workload_, options_.seed));
    if (borrowed_ > 0)
      report_.notes.push_back(
          fmt::format("{} clients have no lengths of their own and draw from {} that have",
                      borrowed_, known_.size()));
  }

  void draw_window(const Window& w, double from, double to, const std::vector<Lengths>& lengths,
                   int client, Draws& draws) {
    const double mean = w.rate * options_.rate_scale * (to - from);
    const auto n = static_cast<std::size_t>(mean + draws.uniform());
    if (n == 0) return;
    double sum = 0;
    gaps_.clear();
    for (std::size_t i = 0; i <= n; ++i) {
      sum += w.weibull ? weibull(w.shape, 1, draws) : gamma(w.shape, 1, draws);
      gaps_.push_back(sum);
    }
    if (!(sum > 0)) sum = 1;  // all gaps underflowed: a single burst
    for (std::size_t i = 0; i < n; ++i) {
      Request r;
      const double t = from + (to - from) * (gaps_[i] / sum);
      r.arrival_s = t - options_.from_s;
      r.session = static_cast<std::uint32_t>(client);
      auto set = std::upper_bound(lengths.begin(), lengths.end(), t,
                                  [](double x, const Lengths& l) { return x < l.from_s; });
      if (set != lengths.begin()) --set;
      double prompt = 0;
      for (const auto& part : set->prompt) {
        const int pieces = part.pieces.value.empty() ? 1 : part.pieces.draw(draws.uniform());
        for (int k = 0; k < pieces; ++k) prompt += part.tokens.draw(draws.uniform());
      }
      r.prompt = static_cast<std::int32_t>(std::clamp(prompt, 1.0, 2e9));
      r.output = std::max(1, set->output.draw(draws.uniform()));
      stream_.requests.push_back(r);
    }
  }

  std::string path_, workload_;
  ReadOptions options_;
  headroom::Stream random_;
  std::map<int, Client> clients_;
  std::vector<const Client*> known_;
  std::vector<double> gaps_;
  double end_s_ = 0;
  std::size_t borrowed_ = 0;
  Stream stream_;
  ReadReport report_;
  Diagnostics bad_;
};

}  // namespace

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

Result<Stream> read_servegen(const std::string& path, const ReadOptions& options,
                             ReadReport* report) {
  return ServegenReader(path, options).read(report);
}

}  // namespace headroom::requests
