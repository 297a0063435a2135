#include "requests/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "requests/rows.hpp"
#include "requests/servegen.hpp"
#include "requests/text_file.hpp"

namespace headroom::requests {
namespace {

tl::unexpected<Diagnostics> refuse(const std::string& path, std::string message,
                                   std::string hint = {}) {
  Diagnostic d;
  d.file = path;
  d.message = std::move(message);
  d.hint = std::move(hint);
  return failure(std::move(d));
}

std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

std::string_view first_line(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, std::min(text.find('\n', from), from + 65536) - from);
}

bool is_json(std::string_view text) {
  const auto line = first_line(text);
  return !line.empty() && (line[0] == '{' || line[0] == '[');
}

/// The format whose name for `role` stands in the line.
std::string_view format_by(Role role, std::string_view line, bool json) {
  for (const auto& name : names_of(role)) {
    const Field* f = find_field(name);
    if (f->format.empty()) continue;
    // "metadata.request_start_ns" stands in JSON as "request_start_ns" within "metadata".
    const auto leaf = std::string_view(name).substr(name.find('.') + 1);
    const auto wanted = json ? fmt::format("\"{}\"", leaf) : std::string(leaf);
    for (auto at = line.find(wanted); at != std::string_view::npos;
         at = line.find(wanted, at + 1)) {
      const auto cut = [&](std::size_t i) {
        return i >= line.size() || line[i] == ',' || line[i] == '"' || line[i] == '\r';
      };
      if (json || ((at == 0 || cut(at - 1)) && cut(at + wanted.size()))) return f->format;
    }
  }
  return {};
}

Result<std::string> chosen_format(const ReadOptions& options, std::string_view text,
                                  const std::string& name) {
  if (options.format.empty()) return detect(text);
  const auto& names = format_names();
  if (std::find(names.begin(), names.end(), options.format) != names.end()) return options.format;
  auto hint = did_you_mean(options.format, names);
  return refuse(
      name,
      fmt::format("'{}' is no format, expected one of {}", options.format, fmt::join(names, ", ")),
      hint);
}

std::string unknown_format(std::string_view text) {
  const auto line = first_line(text);
  return fmt::format("neither a column nor a key is known in the first line: {}",
                     line.substr(0, 120));
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = {"azure",    "burstgpt", "vidur",    "mooncake",
                                                 "lengths",  "aiperf",   "guidellm", "vllm",
                                                 "servegen", "headroom"};
  return names;
}

std::string detect(std::string_view text) {
  if (is_tar(text)) return "servegen";
  text = without_mark(text);
  const auto line = first_line(text);
  const bool json = is_json(text);
  if (json) {
    const auto head = text.substr(0, 1 << 20);
    if (head.find("\"input_lens\"") != std::string_view::npos) return "vllm";
    if (head.find("\"benchmarks\"") != std::string_view::npos) return "guidellm";
  }
  for (const auto role :
       {Role::arrival, Role::prompt, Role::output, Role::text, Role::conversation}) {
    // In an array or a document, the names may stand on later lines.
    const auto found = format_by(role, json ? text.substr(0, 65536) : line, json);
    if (!found.empty()) return std::string(found);
  }
  return {};
}

Result<Stream> read_text(std::string_view text, const std::string& name, const ReadOptions& options,
                         ReadReport* report) {
  text = without_mark(text);
  if (first_line(text).empty()) return refuse(name, "is empty, expected requests");
  const auto format = chosen_format(options, text, name);
  if (!format) return failure(format.error());
  const bool json = is_json(text);
  if (format->empty() && json)
    return refuse(name, unknown_format(text),
                  fmt::format("prompt lengths are known as {}; arrivals as {}",
                              fmt::join(names_of(Role::prompt), ", "),
                              fmt::join(names_of(Role::arrival), ", ")));
  if (*format == "servegen")
    return refuse(name, "ServeGen's data are a folder or an archive, not a text");
  Rows rows(name, *format, options);
  if (*format == "aiperf") rows.any_order();
  if (*format == "guidellm" || *format == "vllm")
    read_log(text, rows);
  else if (json)
    read_json_lines(text, rows);
  else
    read_csv(text, rows);
  return rows.finish(report);
}

Result<Stream> read(const std::string& path, const ReadOptions& options, ReadReport* report) {
  if (options.format == "servegen" || is_folder(path)) return read_servegen(path, options, report);
  auto text = load_text(path);
  if (!text) return failure(std::move(text.error()));
  if (is_tar(*text)) return read_servegen(path, options, report);
  return read_text(*text, path, options, report);
}

}  // namespace headroom::requests
