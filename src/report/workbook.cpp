#include "report/workbook.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <array>
#include <cmath>
#include <deque>
#include <stdexcept>
#include <utility>

namespace headroom::report {
namespace {

constexpr std::size_t most_text = 32767;  // characters of a cell, ECMA-376
constexpr std::size_t looks = std::size_t(Look::science) + 1;
constexpr lxw_color_t ink = 0x1C2733, soft = 0x5B6875, shade = 0xE8EDF2, paper = 0xFFF8DC;
constexpr const char* cents = "#,##0.00";

using Formats = std::array<lxw_format*, looks>;

lxw_format* format_of(lxw_workbook* book, Look look) {
  lxw_format* f = workbook_add_format(book);
  format_set_font_color(f, ink);
  format_set_align(f, LXW_ALIGN_VERTICAL_TOP);
  switch (look) {
    case Look::wrapped:
      format_set_text_wrap(f);
      break;
    case Look::title:
      format_set_bold(f), format_set_font_size(f, 15);
      break;
    case Look::head:
      format_set_bold(f), format_set_bg_color(f, shade), format_set_text_wrap(f);
      format_set_bottom(f, LXW_BORDER_THIN);
      break;
    case Look::bold:
      format_set_bold(f);
      break;
    case Look::note:
      format_set_font_color(f, soft), format_set_text_wrap(f);
      break;
    case Look::number:
      format_set_num_format(f, "#,##0.######");
      break;
    case Look::whole:
      format_set_num_format(f, "#,##0");
      break;
    case Look::usd:
      format_set_num_format(f, cents);
      break;
    case Look::percent:
      format_set_num_format(f, "0.0%");
      break;
    case Look::factor:
      format_set_num_format(f, "0.00000000");
      break;
    case Look::input:
      format_set_num_format(f, "#,##0.########"), format_set_bg_color(f, paper);
      format_set_border(f, LXW_BORDER_HAIR), format_set_unlocked(f);
      break;
    case Look::sum:
      format_set_bold(f), format_set_num_format(f, cents), format_set_top(f, LXW_BORDER_THIN);
      break;
    case Look::science:
      format_set_num_format(f, "0.0000E+00");
      break;
    case Look::plain:
      break;
  }
  return f;
}

/// A file that lives in memory; the library writes to it by its name.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("headroom-workbook", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("no memory for a workbook");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }
  std::string bytes() const {
    std::string out;
    const off_t size = lseek(fd_, 0, SEEK_END);
    out.resize(size > 0 ? std::size_t(size) : 0);
    std::size_t at = 0;
    while (at < out.size()) {
      const ssize_t n = pread(fd_, out.data() + at, out.size() - at, off_t(at));
      if (n <= 0) throw std::runtime_error("a workbook cannot be read back");
      at += std::size_t(n);
    }
    return out;
  }

 private:
  int fd_;
};

/// Cut at a whole character.
std::string fitting(const std::string& text) {
  if (text.size() <= most_text) return text;
  std::size_t end = most_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

struct Workbook::State {
  MemoryFile file;
  lxw_workbook* book = nullptr;
  Formats formats{};
  std::deque<Sheet> sheets;
};

namespace {
lxw_worksheet* of(void* sheet) { return static_cast<lxw_worksheet*>(sheet); }
lxw_format* look_of(void* formats, Look look) {
  return (*static_cast<Formats*>(formats))[std::size_t(look)];
}
lxw_row_t r(int row) { return static_cast<lxw_row_t>(row); }
lxw_col_t c(int column) { return static_cast<lxw_col_t>(column); }
}  // namespace

std::string column_name(int column) {
  std::string out;
  for (int i = column + 1; i > 0; i = (i - 1) / 26)
    out.insert(out.begin(), char('A' + (i - 1) % 26));
  return out;
}

std::string cell_name(int row, int column, bool fixed) {
  const char* mark = fixed ? "$" : "";
  return fmt::format("{}{}{}{}", mark, column_name(column), mark, row + 1);
}

void Workbook::Sheet::text(int row, int column, const std::string& value, Look look) {
  worksheet_write_string(of(sheet_), r(row), c(column), fitting(value).c_str(),
                         look_of(book_, look));
}

void Workbook::Sheet::number(int row, int column, double value, Look look) {
  if (!std::isfinite(value)) return text(row, column, value > 0 ? "no limit" : "", look);
  constexpr double large = 1e12, small = 1e-4;
  const double size = std::abs(value);
  if (look == Look::number && (size >= large || (size > 0 && size < small))) look = Look::science;
  worksheet_write_number(of(sheet_), r(row), c(column), value, look_of(book_, look));
}

void Workbook::Sheet::formula(int row, int column, const std::string& formula, double value,
                              Look look) {
  worksheet_write_formula_num(of(sheet_), r(row), c(column), formula.c_str(), look_of(book_, look),
                              std::isfinite(value) ? value : 0);
}

void Workbook::Sheet::formula(int row, int column, const std::string& formula,
                              const std::string& value, Look look) {
  worksheet_write_formula_str(of(sheet_), r(row), c(column), formula.c_str(), look_of(book_, look),
                              value.c_str());
}

void Workbook::Sheet::link(int row, int column, const std::string& url, const std::string& shown) {
  constexpr std::size_t longest = 2000;  // of Excel
  if (url.size() > longest || !url.starts_with("http")) return text(row, column, shown);
  worksheet_write_url_opt(of(sheet_), r(row), c(column), url.c_str(), nullptr,
                          fitting(shown).c_str(), nullptr);
}

void Workbook::Sheet::head(int row, const std::vector<std::string>& names, int column) {
  for (const auto& n : names) text(row, column++, n, Look::head);
}

void Workbook::Sheet::width(int column, double characters) {
  worksheet_set_column(of(sheet_), c(column), c(column), characters, nullptr);
}

void Workbook::Sheet::lines(int row, int count) {
  constexpr double line = 15;  // points of a row
  worksheet_set_row(of(sheet_), r(row), line * count, nullptr);
}

void Workbook::Sheet::freeze(int rows, int columns) {
  worksheet_freeze_panes(of(sheet_), r(rows), c(columns));
}

void Workbook::Sheet::one_page_wide() {
  worksheet_set_landscape(of(sheet_));
  worksheet_fit_to_pages(of(sheet_), 1, 0);
  worksheet_set_paper(of(sheet_), 9);  // A4
}

Workbook::Workbook(const std::string& title, long day) : state_(std::make_unique<State>()) {
  state_->book = workbook_new(state_->file.path().c_str());
  if (state_->book == nullptr) throw std::runtime_error("no memory for a workbook");
  for (std::size_t i = 0; i < looks; ++i)
    state_->formats[i] = format_of(state_->book, static_cast<Look>(i));
  std::string name = title, program = "headroom";
  lxw_doc_properties properties{};
  properties.title = name.data();
  properties.author = program.data();
  properties.created = static_cast<time_t>(day) * 86400;
  workbook_set_properties(state_->book, &properties);
}

Workbook::~Workbook() {
  if (state_->book != nullptr) workbook_close(state_->book);
}

Workbook::Sheet& Workbook::sheet(const std::string& name) {
  constexpr std::size_t longest = 31;  // of Excel; the library would print a warning
  const bool good = !name.empty() && name.size() <= longest &&
                    name.find_first_of("[]:*?/\\'") == std::string::npos;
  lxw_worksheet* sheet = good ? workbook_add_worksheet(state_->book, name.c_str()) : nullptr;
  if (sheet == nullptr) throw std::runtime_error("a sheet cannot be called " + name);
  state_->sheets.push_back(Sheet(&state_->formats, sheet, name));
  return state_->sheets.back();
}

void Workbook::name(const std::string& name, const std::string& cells) {
  workbook_define_name(state_->book, name.c_str(), ("=" + cells).c_str());
}

std::string Workbook::bytes() {
  lxw_workbook* book = std::exchange(state_->book, nullptr);
  if (workbook_close(book) != LXW_NO_ERROR)
    throw std::runtime_error("a workbook cannot be put together");
  return state_->file.bytes();
}

}  // namespace headroom::report
