#include "base/diagnostics.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace headroom {

void Diagnostics::add(Diagnostic d) {
  ++count_;
  if (kept_.size() < limit) kept_.push_back(std::move(d));
}

void Diagnostics::add(const Diagnostics& list) {
  for (const auto& d : list.kept_) add(d);
  count_ += list.count_ - list.kept_.size();
}

void Diagnostics::sort_by_place() {
  std::vector<std::string> files;
  for (const auto& d : kept_) {
    if (std::find(files.begin(), files.end(), d.file) == files.end()) files.push_back(d.file);
  }
  const auto place = [&](const Diagnostic& d) {
    return std::tuple(std::find(files.begin(), files.end(), d.file), d.line, d.column);
  };
  std::stable_sort(kept_.begin(), kept_.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
}

namespace {

// A source line is shown at most this wide, moved so that the caret stays in view.
constexpr std::size_t excerpt_width = 96;

/// Length of the UTF-8 sequence at `at`, 0 when there is none.
std::size_t sequence_length(const std::string& text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  const std::size_t n = c < 0x80         ? 1
                        : (c >> 5) == 6  ? 2
                        : (c >> 4) == 14 ? 3
                        : (c >> 3) == 30 ? 4
                                         : 0;
  if (n == 0 || at + n > text.size()) return 0;
  for (std::size_t k = 1; k < n; ++k) {
    if ((static_cast<unsigned char>(text[at + k]) >> 6) != 2) return 0;
  }
  return n;
}

/// A text that any terminal shows as it is: control characters (also those that
/// Unicode adds, U+0080 to U+009F) and broken UTF-8 become one character each.
std::string printable(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = sequence_length(text, at);
    const auto c = static_cast<unsigned char>(text[at]);
    const bool c1 = n == 2 && c == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;
    if (n == 0) {
      out += '?';
    } else if (c < 0x20 || c == 0x7f || c1) {
      out += ' ';
    } else {
      out.append(text, at, n);
    }
    at += n == 0 ? 1 : n;
  }
  return out;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

std::string excerpt_with_caret(const Diagnostic& d) {
  std::string line = d.excerpt;
  std::size_t caret = d.column > 0 ? static_cast<std::size_t>(d.column - 1) : 0;
  if (line.size() > excerpt_width) {
    const std::size_t from = caret > excerpt_width / 2 ? caret - excerpt_width / 2 : 0;
    line = line.substr(std::min(from, line.size()), excerpt_width);
    caret -= std::min(from, caret);
  }
  // Columns count bytes; the caret stands below a character.
  caret = characters(printable(line.substr(0, caret)));
  const std::string number = std::to_string(d.line);
  return "  " + number + " | " + printable(line) + "\n  " + std::string(number.size(), ' ') +
         " | " + std::string(caret, ' ') + "^\n";
}

}  // namespace

std::string render(const Diagnostic& d) {
  std::string out = d.file;
  if (d.line > 0) out += ":" + std::to_string(d.line) + ":" + std::to_string(d.column);
  if (!out.empty()) out += ": ";
  if (!d.path.empty()) out += d.path + ": ";
  out = printable(out + d.message) + "\n";
  if (d.line > 0 && !d.excerpt.empty()) out += excerpt_with_caret(d);
  if (!d.hint.empty()) out += "  hint: " + printable(d.hint) + "\n";
  return out;
}

std::string render(const Diagnostics& list) {
  std::string out;
  for (const auto& d : list.all()) out += render(d);
  const std::size_t n = list.count();
  if (n > list.all().size()) {
    out += "... and " + std::to_string(n - list.all().size()) + " more\n";
  }
  out += std::to_string(n) + (n == 1 ? " mistake" : " mistakes") + "; nothing was computed\n";
  return out;
}

namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  // Optimal string alignment: a swap of neighbours is one edit, as fingers make it.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::vector<std::string> nearest(const std::string& word,
                                 const std::vector<std::string>& candidates, std::size_t most) {
  if (word.size() > 80) return {};
  const std::size_t allowed = word.size() <= 4 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const auto& candidate : candidates) {
    if (candidate.size() > word.size() + allowed + 24) continue;
    std::size_t distance = edit_distance(word, candidate);
    // A word that a candidate merely extends ("h100" in "h100-sxm") is near too.
    if (word.size() >= 3 && candidate.find(word) != std::string::npos) {
      distance = std::min<std::size_t>(distance, 1);
    }
    if (distance <= allowed && distance < word.size()) scored.emplace_back(distance, candidate);
  }
  std::stable_sort(scored.begin(), scored.end());
  std::vector<std::string> out;
  for (const auto& [distance, candidate] : scored) {
    if (out.size() < most) out.push_back(candidate);
  }
  return out;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const auto near = nearest(word, candidates);
  if (near.empty()) return {};
  std::string out = "did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) out += i + 1 == near.size() ? " or " : ", ";
    out += "'" + near[i] + "'";
  }
  return out + "?";
}

}  // namespace headroom
