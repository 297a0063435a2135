// What the text answers of all verbs are made of: one look for a time, a share, a limit, a price.
//
//   Sheet sheet(options);
//   sheet.title("Memory of a GPU");
//   sheet.put(table);
//   sheet.section(run.energy);
//   sheet.remarks(run.remarks);
//   return sheet.take();
//
// Times are shown in the unit in which they read well, shares in %, memory in GiB (2^30 bytes), as
// drivers and engines report it; a nameplate keeps its own GB. Internal to report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/margin.hpp"
#include "report/report.hpp"
#include "report/table.hpp"
#include "study/training_run.hpp"

namespace headroom::report {

inline constexpr double bytes_per_gib = 1024.0 * 1024.0 * 1024.0;
/// Rows of a table of choices for people; programs get all of them.
inline constexpr std::size_t most_rows = 25;

/// "12.5 %".
std::string percent(double share, int digits = 1);
/// An SI value in the unit that it is written with: 24,000 in "kPa" is 24. As it is in a unit that
/// is only a word ("rack").
double in_unit(double si, std::string_view unit);
/// "7.91 ms", "12.3 s", "602.1 s"; "never" for what does not end.
std::string seconds(double s, int digits = 3);
/// "74.5 GiB".
std::string gibibytes(double bytes, int digits = 1);
/// "-" where there is nothing to tell.
std::string figure(double x, int digits = 3);
/// A bar of `width` columns for a share of 0 to 1.
std::string bar(double share, std::size_t width);

/// What every writer of a text answer shares; those of one verb derive from it.
class TextWriter {
 public:
  explicit TextWriter(const TextOptions& options);

  std::size_t width() const { return width_; }
  std::string paint(const std::string& text, std::string_view style) const;
  /// Style of a row: `style` on a terminal with colours, else none.
  std::string_view style(std::string_view style) const { return o_.colour ? style : ""; }
  void title(const std::string& text);

 protected:
  /// A label of 28 columns and what it says.
  void line(std::string_view label, const std::string& text);
  /// Each wrapped, under a title where there are any.
  void list(const std::string& head, const std::vector<std::string>& texts);

  const TextOptions& o_;
  const std::size_t width_;
  std::string out_;
};

class Sheet : public TextWriter {
 public:
  using TextWriter::TextWriter;

  bool colour() const { return o_.colour; }
  void raw(std::string_view text) { out_ += text; }
  void prose(std::string_view text, std::string_view indent = "  ");
  void put(const Table& table) { out_ += table.str(); }

  void section(const study::Section& section);
  /// A section of money and where its price comes from.
  void money(const study::Section& section, const std::string& price_origin);
  void intervals(const std::vector<study::Interval>& intervals, const std::string& origin);
  void flags(const std::vector<study::LaunchText>& flags);
  /// Those that fall short or are close and can be lifted.
  void limits(const std::vector<Margin>& margins);
  void remarks(const std::vector<std::string>& remarks);

  std::string take() { return std::move(out_); }
};

}  // namespace headroom::report
