#include "validation/machine.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace headroom::validation {
namespace {

using catalog::Accelerator;

/// Lower case letters and digits only.
std::string compact(std::string_view text) {
  std::string out;
  for (const char c : lower(text))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += c;
  return out;
}

/// Makers' other names for what the catalogue has, in compact spelling. A800: an A100 with
/// 400 GB/s of NVLink. Trillium and Ironwood: Google's names of v6e and v7.
struct Alias {
  const char* name;
  const char* id;
};
constexpr std::array<Alias, 6> aliases{{{"a800", "a100-sxm-80gb"},
                                        {"tputrillium", "tpu-v6e"},
                                        {"trillium", "tpu-v6e"},
                                        {"ironwood", "tpu-v7"},
                                        {"gaudi3", "gaudi-3"},
                                        {"trn2", "trainium2"}}};

/// Words of an id that name a form or size, not the family.
bool is_form(std::string_view word) {
  for (const char* form : {"sxm", "sxm2", "sxm4", "sxm5", "pcie", "nvl", "server", "40gb", "80gb"})
    if (word == form) return true;
  return false;
}

struct Name {
  std::string family;              ///< "h100", "rtx4090", "tpuv5p"
  std::vector<std::string> forms;  ///< "sxm"
};

Name name_of(std::string_view id) {
  Name out;
  while (!id.empty()) {
    const auto end = std::min(id.find('-'), id.size());
    const auto word = id.substr(0, end);
    if (is_form(word))
      out.forms.emplace_back(word);
    else
      out.family += word;
    id.remove_prefix(std::min(end + 1, id.size()));
  }
  return out;
}

/// A number straight before `unit` in a text, as in "80GB".
std::optional<double> number_before(const std::string& text, const char* unit) {
  const auto t = lower(text);
  const std::size_t length = std::char_traits<char>::length(unit);
  for (auto at = t.find(unit); at != std::string::npos; at = t.find(unit, at + 1)) {
    if (at + length < t.size() && std::isalnum(static_cast<unsigned char>(t[at + length])) != 0)
      continue;
    auto to = at;
    while (to > 0 && t[to - 1] == ' ') --to;
    auto from = to;
    while (from > 0 &&
           (std::isdigit(static_cast<unsigned char>(t[from - 1])) != 0 || t[from - 1] == '.'))
      --from;
    if (from == to) continue;
    if (from > 0 && std::isalpha(static_cast<unsigned char>(t[from - 1])) != 0) continue;
    if (const auto v = parse_number(t.substr(from, to - from))) return v;
  }
  return std::nullopt;
}

/// Better match first: longer family, then form named, then nearest memory.
struct Score {
  std::size_t family = 0;
  int forms = 0;
  double memory_off = 0;

  bool better_than(const Score& o) const {
    if (family != o.family) return family > o.family;
    if (forms != o.forms) return forms > o.forms;
    return memory_off < o.memory_off;
  }
};

Score score(const Accelerator& a, const std::string& text, std::optional<double> memory) {
  Score s;
  const auto name = name_of(a.id);
  if (name.family.size() >= 3 && text.find(name.family) != std::string::npos)
    s.family = name.family.size();
  for (const auto& alias : aliases)
    if (a.id == alias.id && text.find(alias.name) != std::string::npos)
      s.family = std::max(s.family, std::char_traits<char>::length(alias.name));
  for (const auto& form : name.forms) {
    const auto plain = form.substr(0, form.find_first_of("0123456789"));
    if (plain.empty()) continue;  // a size: judged by memory
    if (text.find(plain) != std::string::npos) s.forms += 2;
    // Data-centre parts are SXM modules unless the text says otherwise.
    if (plain == "sxm" && text.find("pcie") == std::string::npos &&
        text.find("nvl") == std::string::npos)
      s.forms += 1;
  }
  if (memory && a.memory)
    s.memory_off =
        std::abs(std::log(std::max(1.0, *memory) / std::max(1.0, a.memory.get().in(byte))));
  return s;
}

/// InfiniBand and its kin, by the words of the network's text; RoCE, EFA, plain Ethernet and
/// networks that nobody states count as Ethernet.
bool is_ethernet(const std::string& net) {
  const auto t = lower(net);
  for (const char* word : {"roce", "ethernet", "efa", "rdma", "tcp", "not stated", "spectrum"})
    if (t.find(word) != std::string::npos) return true;
  for (const char* word :
       {"ib", "infiniband", "hdr", "ndr", "xdr", "edr", "omni-path", "slingshot", "gb/s"})
    if (t.find(word) != std::string::npos) return false;
  return true;
}

/// Line rate a GPU when the file does not say: what reference designs of the generation have
/// (DGX V100 100, A100 200, H100 to B200 400, B300 800 Gb/s), others 400; assumed.
double default_net_gbit(const Accelerator& a) {
  if (a.architecture == "Volta") return 100;
  if (a.architecture == "Ampere") return 200;
  if (a.id == "b300-sxm" || a.id == "gb300") return 800;
  return 400;
}

void use_peaks(Accelerator& a, const Facts& f) {
  const auto put = [&](Precision p, const char* key) {
    const auto v = f.number(key);
    if (!v || *v <= 0 || *v > 1e6) return;
    for (auto& r : a.rates)
      if (r.precision == p) {
        r.dense.fix((*v * teraflop_per_second).si());
        return;
      }
    catalog::PrecisionRate r;
    r.precision = p;
    r.dense.fix((*v * teraflop_per_second).si());
    a.rates.push_back(r);
  };
  put(Precision::bf16, "peak_bf16"), put(Precision::fp16, "peak_bf16");
  put(Precision::fp16, "peak_fp16"), put(Precision::fp8, "peak_fp8");
  if (a.rate(Precision::mxfp8) != nullptr) put(Precision::mxfp8, "peak_fp8");
  if (a.rate(Precision::nvfp4) != nullptr) put(Precision::nvfp4, "peak_fp4");
}

/// Boards share a domain within the node; racks (NVL72) and tori (ICI, NeuronLink) form the
/// domain of the catalogue.
double default_domain(const catalog::ScaleUp& link, int per_node) {
  constexpr int largest_board = 8;
  if (!link.bandwidth) return 1;
  return link.domain > largest_board ? link.domain : std::min(per_node, std::max(1, link.domain));
}

double positive(const Facts& f, const char* key, double fallback) {
  const auto v = f.number(key);
  return v && *v > 0 && *v < 1e9 ? *v : fallback;
}

}  // namespace

const Accelerator* find_accelerator(const catalog::Catalog& catalog, const std::string& gpu) {
  const auto text = compact(gpu);
  const auto memory = memory_in(gpu);
  const Accelerator* best = nullptr;
  Score best_score;
  for (const auto* a : catalog.all<Accelerator>()) {
    const auto s = score(*a, text, memory);
    if (s.family > 0 && (best == nullptr || s.better_than(best_score))) best = a, best_score = s;
  }
  return best;
}

std::optional<double> power_in(const std::string& gpu) {
  const auto v = number_before(gpu, "w");
  return v && *v >= 30 && *v <= 5000 ? v : std::nullopt;
}

std::optional<double> memory_in(const std::string& gpu) {
  const auto v = number_before(gpu, "gb");
  if (!v || *v < 4 || *v > 4096) return std::nullopt;
  return *v * 1e9;
}

std::optional<Hardware> find_hardware(const catalog::Catalog& catalog, const Machine& machine,
                                      std::string& reason) {
  const auto gpu = machine.facts.text("gpu").empty() ? machine.id : machine.facts.text("gpu");
  const auto* entry = find_accelerator(catalog, gpu);
  if (entry == nullptr) {
    reason = fmt::format("no accelerator like '{}' in the catalogue", gpu);
    return std::nullopt;
  }
  Accelerator a = *entry;
  Hardware h;
  h.id = entry->id;
  use_peaks(a, machine.facts);
  if (const double hbm = positive(machine.facts, "hbm_GBps", 0); hbm > 0)
    a.memory_bandwidth.fix((hbm * gigabyte_per_second).si());
  if (const double link = positive(machine.facts, "nvlink_GBps", 0); link > 0)
    a.scale_up.bandwidth.fix((link * gigabyte_per_second).si());
  if (const auto bytes = memory_in(gpu)) a.memory.fix((*bytes * byte).si());
  h.per_node = int(std::max(1.0, positive(machine.facts, "per_node", 8)));
  h.domain = int(std::max(
      1.0, positive(machine.facts, "nvlink_domain", default_domain(a.scale_up, h.per_node))));
  h.power_cap_w = power_in(gpu);
  h.memory_bytes = a.memory.or_else(Information{}).in(byte);
  h.accelerator = std::make_shared<const Accelerator>(std::move(a));
  compute::DeviceOptions board;
  if (h.power_cap_w) board.power_limit = *h.power_cap_w * watt;
  h.device = std::make_shared<const compute::Device>(*h.accelerator, board);
  catalog::System system;
  system.scale_up.domain = h.domain;
  fabric::ScaleOut out;
  out.per_gpu = positive(machine.facts, "net_Gbps_per_gpu", default_net_gbit(*h.accelerator)) *
                gigabit_per_second;
  out.ethernet = is_ethernet(machine.facts.text("net"));
  h.path = fabric::make_path(system, *h.accelerator, out);
  return h;
}

}  // namespace headroom::validation
