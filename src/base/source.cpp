#include "base/source.hpp"

namespace headroom {

const char* trust_name(Trust trust) {
  switch (trust) {
    case Trust::measured:
      return "measured";
    case Trust::published:
      return "published";
    case Trust::secondary:
      return "secondary";
    case Trust::derived:
      return "derived";
    case Trust::user:
      return "user";
    case Trust::assumed:
      return "assumed";
    case Trust::recalled:
      return "recalled, unverified";
  }
  return "unknown";
}

SourcePtr assumed(std::string reason) {
  return std::make_shared<Source>(Source{"assumed", std::move(reason), {}, {}, Trust::assumed});
}

SourcePtr published(std::string title, std::string date, std::string url) {
  return std::make_shared<Source>(
      Source{title, title, std::move(url), std::move(date), Trust::published});
}

SourcePtr recalled(std::string title) {
  return std::make_shared<Source>(Source{"recalled", std::move(title), {}, {}, Trust::recalled});
}

std::string describe(const Source& source) {
  std::string out;
  if (source.trust != Trust::published && source.trust != Trust::user) {
    out = trust_name(source.trust);
    if (!source.title.empty()) out += ": ";
  }
  out += source.title.empty() && source.trust == Trust::user ? source.key : source.title;
  if (!source.date.empty()) out += " (" + source.date + ")";
  return out;
}

std::string place(const Origin& origin) {
  if (!origin.file || origin.file->empty()) return {};
  if (origin.line <= 0) return *origin.file;
  return *origin.file + ":" + std::to_string(origin.line) + ":" + std::to_string(origin.column);
}

}  // namespace headroom
