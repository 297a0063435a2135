#include "report/page.hpp"

extern "C" {
extern const char headroom_page_begin[];
extern const char headroom_page_end[];
}

namespace headroom::report {

std::string_view page() {
  return {headroom_page_begin, static_cast<std::size_t>(headroom_page_end - headroom_page_begin)};
}

std::string page_with(std::string_view json) {
  constexpr std::string_view open = "<script id=\"headroom-data\" type=\"application/json\">";
  const std::string_view whole = page();
  const std::size_t at = whole.find(open);
  if (at == std::string_view::npos) return std::string(whole);
  const std::size_t begin = at + open.size();
  std::string out;
  out.reserve(whole.size() + json.size() + json.size() / 16);
  out += whole.substr(0, begin);
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  out += whole.substr(whole.find("</script>", begin));
  return out;
}

}  // namespace headroom::report
