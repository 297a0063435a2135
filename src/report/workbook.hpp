// A spreadsheet file (XLSX, ECMA-376) in memory. Internal to report; libxlsxwriter stays behind it.
//
//   Workbook book("title", day);
//   auto& s = book.sheet("Inputs");
//   s.number(1, 1, 0.09, Look::percent);
//   book.name("discount", "Inputs!$B$2");
//   s.formula(2, 1, "=discount*2", 0.18, Look::percent);  // 0.18: what readers show that never
//   compute return book.bytes();
//
// Rows and columns count from 0. Text is text: what begins with "=" stays what it is. The same
// calls give the same bytes. Errors: std::runtime_error when memory or the library fails.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::report {

enum class Look : unsigned char {
  plain,
  wrapped,
  title,
  head,
  bold,
  note,
  number,   ///< six significant digits at most
  whole,    ///< thousands
  usd,      ///< cents
  percent,  ///< one decimal
  factor,   ///< eight decimals
  input,    ///< a number that is meant to be changed
  sum,      ///< cents, with a line above
  science,  ///< powers of ten; `number` turns into it where digits would not fit
};

/// "C7", or "$C$7".
std::string cell_name(int row, int column, bool fixed = false);
/// 0 is "A".
std::string column_name(int column);

class Workbook {
 public:
  class Sheet {
   public:
    void text(int row, int column, const std::string& value, Look look = Look::plain);
    void number(int row, int column, double value, Look look = Look::number);
    void formula(int row, int column, const std::string& formula, double value, Look look);
    void formula(int row, int column, const std::string& formula, const std::string& value,
                 Look look);
    void link(int row, int column, const std::string& url, const std::string& shown);
    void head(int row, const std::vector<std::string>& names, int column = 0);
    void width(int column, double characters);
    /// Room for so many lines of text.
    void lines(int row, int count);
    void freeze(int rows, int columns = 0);
    /// Landscape on one page's width.
    void one_page_wide();
    const std::string& name() const { return name_; }

   private:
    friend class Workbook;
    Sheet(void* book, void* sheet, std::string name)
        : book_(book), sheet_(sheet), name_(std::move(name)) {}
    void* book_;
    void* sheet_;
    std::string name_;
  };

  /// `day`: days since 1970-01-01, the file's date of creation.
  Workbook(const std::string& title, long day);
  ~Workbook();
  Workbook(const Workbook&) = delete;
  Workbook& operator=(const Workbook&) = delete;

  Sheet& sheet(const std::string& name);
  /// `cells`: "Inputs!$B$2".
  void name(const std::string& name, const std::string& cells);
  /// Ends the book.
  std::string bytes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace headroom::report
