#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "requests/reader.hpp"
#include "requests/text_file.hpp"

namespace headroom::requests {
namespace {

struct Column {
  const char* name;
  std::function<bool(const Request&)> used;
  std::function<void(const Request&, std::string&)> put;
};

template <class T>
void append(std::string& out, T value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

/// A name as a CSV cell or JSON string may hold it.
std::string plain(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += c == '"' || c == '\\' || c == ',' || static_cast<unsigned char>(c) < 0x20 ? '_' : c;
  return out;
}

std::vector<Column> columns(const Stream& s, bool json) {
  const std::string quote = json ? "\"" : "";
  const auto name = [quote](const std::string& text) { return quote + plain(text) + quote; };
  const auto any = [](const Request&) { return true; };
  std::vector<Column> all = {
      {"arrival_s", any, [](const Request& r, std::string& o) { append(o, r.arrival_s); }},
      {"prompt", any, [](const Request& r, std::string& o) { append(o, r.prompt); }},
      {"output", any, [](const Request& r, std::string& o) { append(o, r.output); }},
      {"after", [](const Request& r) { return r.after != no_request; },
       [](const Request& r, std::string& o) { append(o, r.after); }},
      {"session", [](const Request& r) { return r.session != no_request; },
       [](const Request& r, std::string& o) { append(o, r.session); }},
      {"class", [&s](const Request&) { return s.classes.size() > 1 || s.classes[0] != "default"; },
       [&s, name](const Request& r, std::string& o) { o += name(s.classes.at(r.traffic_class)); }},
      {"model", [&s](const Request&) { return s.models.size() > 1 || s.models[0] != "default"; },
       [&s, name](const Request& r, std::string& o) { o += name(s.models.at(r.model)); }},
      {"adapter", [](const Request& r) { return r.adapter != 0; },
       [](const Request& r, std::string& o) { append(o, r.adapter); }},
      {"priority", [](const Request& r) { return r.priority != 0; },
       [](const Request& r, std::string& o) { append(o, r.priority); }},
      {"shared", [](const Request& r) { return r.shared != no_request; },
       [](const Request& r, std::string& o) { append(o, r.shared); }},
      {"shared_tokens", [](const Request& r) { return r.shared_tokens != 0; },
       [](const Request& r, std::string& o) { append(o, r.shared_tokens); }},
      {"hashes", [](const Request& r) { return r.blocks > 0; },
       [&s, json](const Request& r, std::string& o) {
         if (json) o += '[';
         bool first = true;
         for (const auto h : s.blocks_of(r)) {
           if (!first) o += json ? ',' : ' ';
           append(o, h);
           first = false;
         }
         if (json) o += ']';
       }}};
  std::erase_if(all, [&](const Column& c) {
    return std::none_of(s.requests.begin(), s.requests.end(), c.used);
  });
  return all;
}

std::string as_csv(const Stream& s) {
  const auto all = columns(s, false);
  std::string out;
  for (const auto& c : all) {
    if (!out.empty()) out += ',';
    out += c.name;
    if (std::string_view(c.name) == "hashes") append(out += '@', s.block_tokens);
  }
  out += '\n';
  for (const auto& r : s.requests) {
    for (const auto& c : all) {
      if (&c != all.data()) out += ',';
      if (c.used(r)) c.put(r, out);
    }
    out += '\n';
  }
  return out;
}

std::string as_json_lines(const Stream& s) {
  const auto all = columns(s, true);
  std::string out;
  for (const auto& r : s.requests) {
    char before = '{';
    for (const auto& c : all) {
      if (!c.used(r)) continue;
      fmt::format_to(std::back_inserter(out), "{}\"{}\":", before, c.name);
      c.put(r, out);
      before = ',';
    }
    // Said once: the reader keeps it for all rows.
    if (&r == s.requests.data() && !s.hashes.empty())
      fmt::format_to(std::back_inserter(out), ",\"block_tokens\":{}", s.block_tokens);
    out += "}\n";
  }
  return out;
}

bool ends_in(const std::string& path, const char* what) {
  return path.ends_with(what) || path.ends_with(std::string(what) + ".gz");
}

}  // namespace

Result<std::size_t> write(const Stream& stream, const std::string& path) {
  if (ends_in(path, ".csv")) return save_text(as_csv(stream), path);
  if (ends_in(path, ".jsonl")) return save_text(as_json_lines(stream), path);
  Diagnostic d;
  d.file = path;
  d.message = "the name says no form, expected .csv, .jsonl, .csv.gz or .jsonl.gz";
  return failure(std::move(d));
}

}  // namespace headroom::requests
