// Text tables with aligned columns, clipped to a width. UTF-8 aware enough for
// our own output (one column a code point).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headroom::report {

enum class Align : unsigned char { left, right };

struct Column {
  std::string head;
  Align align = Align::left;
  std::size_t most = 0;  ///< clip with an ellipsis beyond; 0 = never
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back({std::move(cells), {}}); }
  /// A row in a terminal style ("31" red); empty for none.
  void add(std::vector<std::string> cells, std::string_view style) {
    rows_.push_back({std::move(cells), std::string(style)});
  }
  std::string str(std::string_view indent = "  ") const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string style;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// Columns a text takes on a terminal.
std::size_t columns_of(std::string_view text);
/// Breaks prose at spaces to `width`, each line led by `indent`.
std::string wrap(std::string_view text, std::size_t width, std::string_view indent);
/// A bar for a headroom between -100 % and +100 %: the limit stands in the middle.
std::string headroom_bar(double headroom, std::size_t width);
/// "+11 %", "-75 %", ">10x".
std::string headroom_text(double headroom);

}  // namespace headroom::report
