#include "spec/sources.hpp"

namespace headroom::spec {
namespace {

bool is_source_date(const std::string& date) {
  static constexpr std::string_view shape = "dddd-dd-dd";
  if (date.size() != 4 && date.size() != 7 && date.size() != 10) return false;
  for (std::size_t i = 0; i < date.size(); ++i) {
    const bool digit = date[i] >= '0' && date[i] <= '9';
    if (shape[i] == 'd' ? !digit : date[i] != shape[i]) return false;
  }
  return true;
}

/// A `sources` entry as it stands in a file.
struct SourceEntry {
  std::string title, url, date;
  Trust trust = Trust::published;

  void fields(spec::Fields& f) {
    static constexpr std::string_view trusts[] = {"measured", "published", "secondary", "derived",
                                                  "user",     "assumed",   "recalled"};
    f.text("title", title, "Document, table or page").required();
    f.text("url", url, "Address");
    f.text("date", date, "When it was published or read: YYYY, YYYY-MM or YYYY-MM-DD");
    if (!date.empty() && !is_source_date(date)) {
      f.mistake("date", "'" + date + "' is not a date", "write 2026, 2026-11 or 2026-11-20");
    }
    f.choice("trust", trust, trusts, "How far it may be trusted");
  }
};

}  // namespace

std::map<std::string, SourcePtr> read_sources(const Node& sources, const ReadContext& context,
                                              Diagnostics& diagnostics) {
  ReadContext plain;
  plain.file = context.file;
  plain.document = context.document;
  std::map<std::string, SourcePtr> out;
  for (std::size_t i = 0; i + 1 < sources.items.size(); i += 2) {
    const std::string& key = sources.items[i].text;
    SourceEntry entry;
    read(sources.items[i + 1], entry, plain, diagnostics, "sources." + key);
    out[key] =
        std::make_shared<Source>(Source{key, entry.title, entry.url, entry.date, entry.trust});
  }
  return out;
}

}  // namespace headroom::spec
